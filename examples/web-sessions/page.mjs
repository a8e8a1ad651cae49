// The one page there is.

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text) => String(text).replace(/[&<>"]/g, (character) => escapes[character])

/** @param {{ node: string, user?: string, views?: number, problem?: string }} state */
export function pageOf({ node, user, views, problem }) {
  const inside =
    user === undefined
      ? `<form method="post" action="/login">
  <label>Name <input name="user" autocomplete="username" required></label>
  <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <button>Log in</button>
</form>`
      : `<p id="views">${escaped(user)}: ${views} views</p>
<form method="post" action="/logout"><button>Log out</button></form>`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sessions that survive</title>
<style>body { font: 1rem system-ui; margin: 3rem auto; max-width: 30rem; padding: 0 1rem } label, button { display: block; margin: 0.5rem 0 }</style>
${problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`}
${inside}
<p><small>served by node ${escaped(node)}</small></p>
</html>
`
}
