// Planted bugs in the choice of sides after a split.
import type { Mutant } from './mutant.ts'

export const CHOICE_MUTANTS: readonly Mutant[] = [
  {
    name: 'choice-fed-meanwhile',
    bug: 'the other side is fed before it is known which side stays',
    folder: 'src',
    patches: [{ find: 'if (!this.isHeld()) this.release()', replace: 'this.release()' }],
  },
  {
    name: 'choice-without-grant',
    bug: 'the chosen side leads as soon as it is offered the role',
    folder: 'src',
    patches: [
      {
        find: "    else if (offer.reason === 'chosen' ? state.gaveWay : this.hasApplied(offer))\n",
        replace:
          "    else if (offer.reason === 'chosen' && state.gaveWay) this.promote('chosen', now, now)\n    else if (this.hasApplied(offer))\n",
      },
    ],
  },
  {
    name: 'choice-grants-unasked',
    bug: 'a primary grants its role as chosen though its application has not answered so',
    folder: 'src',
    patches: [
      {
        find: "if (question?.stage !== 'offering' || reason !== 'chosen') return false",
        replace: "if (question === undefined || reason === 'chosen') return question !== undefined",
      },
      {
        find: '      if (status.changed !== null || now',
        replace: '      this.sayOffer(now)\n      if (status.changed !== null || now',
      },
    ],
  },
]
