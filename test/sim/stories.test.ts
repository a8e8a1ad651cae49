// The golden stories: the course of events that is kept in stories/*.txt, line by line.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STORIES, tellStory } from './stories.ts'
import { differenceOf } from './story-files.ts'

const stories = suite('golden stories')

for (const story of STORIES) {
  stories(`${story.name}: happens as it is written down`, () => {
    const difference = differenceOf(story.name, tellStory(story))
    if (difference === undefined) return
    assert.unreachable(
      `${difference}\n  If that is meant: npm run sim -- --stories ${story.name} --write, and read the diff`,
    )
  })
}

stories.run()
