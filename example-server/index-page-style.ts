/** In the colours of the viewer: teal is alive, amber the caller's fault, red the server's, violet an abandoned request. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f5f2, #0e1114);
  --surface: light-dark(#fff, #14181c);
  --raised: light-dark(#efede8, #1c2126);
  --line: light-dark(#e3dfd8, #252b31);
  --line-strong: light-dark(#cfcac1, #363e46);
  --text: light-dark(#1a1c1f, #e8eaec);
  --muted: light-dark(#54585f, #a6adb5);
  --alive: light-dark(#0b6f66, #5fd4c5);
  --alive-fill: light-dark(#12897e, #3dbcae);
  --alive-ground: light-dark(#e3f1ee, #14292a);
  --refused: light-dark(#8f5300, #f0b35a);
  --refused-fill: light-dark(#d98a1f, #dd9a3c);
  --refused-ground: light-dark(#fdf3e2, #272014);
  --failed: light-dark(#b42a22, #ff8b7f);
  --failed-fill: light-dark(#d4453c, #e8645a);
  --failed-ground: light-dark(#fdecea, #2b1918);
  --aborted: light-dark(#6742b8, #bda4fb);
  --aborted-fill: light-dark(#8a6bd1, #9b80e0);
  --aborted-ground: light-dark(#f1ecfb, #221c31);
  --sans: -apple-system, BlinkMacSystemFont, "Segoe UI Variable Text", "Segoe UI", Inter, Roboto, Cantarell, Ubuntu, "Noto Sans", "DejaVu Sans Condensed", system-ui, sans-serif;
  --mono: ui-monospace, "SF Mono", SFMono-Regular, "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
*, ::before, ::after { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.45 var(--sans); font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased }
h1, h2, p, pre { margin: 0 }
a { color: inherit; text-decoration-color: var(--line-strong); text-underline-offset: 3px }
a:hover { text-decoration-color: currentcolor }
code, pre { font: 12.5px/1.6 var(--mono); font-variant-ligatures: none }
:focus-visible { outline: 2px solid var(--alive); outline-offset: 2px }

header { display: flex; align-items: center; gap: 12px; height: 48px; padding: 0 16px; border-bottom: 1px solid var(--line); background: var(--surface) }
header strong { font-weight: 600 }
nav { display: flex; gap: 18px; margin-left: auto }
.mark-one { fill: var(--text) }
.mark-two { fill: var(--alive-fill) }
.mark-three { fill: var(--refused-fill) }

main { max-width: 1240px; margin: 0 auto; padding: 32px 16px 48px }
h1 { font-size: 22px; font-weight: 600; letter-spacing: -.015em; line-height: 1.3 }
.lead { margin: 4px 0 24px; color: var(--muted) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(350px, 100%), 1fr)); column-gap: 14px }

/* What is in a row of cards is in rows too, so that no button moves when an answer comes. */
.card { display: grid; grid-row: span 5; grid-template-rows: subgrid; align-items: start; min-width: 0; margin-bottom: 14px; padding: 14px 16px 16px; border: 1px solid var(--line); border-left: 2px solid var(--line-strong); border-radius: 8px; background: var(--surface) }
.card.is-refused { border-left-color: var(--refused-fill) }
.card.is-failed { border-left-color: var(--failed-fill) }
.card.is-aborted { border-left-color: var(--aborted-fill) }
h2 { font-size: 15px; font-weight: 600; letter-spacing: -.01em }
.card p { color: var(--muted) }
pre { margin: 10px 0 14px; overflow-wrap: anywhere; white-space: pre-wrap }
pre span { display: block; padding-left: 4ch; text-indent: -4ch }
pre i { color: var(--muted); font-style: normal }
mark { background: none; color: var(--refused); text-decoration: underline wavy 1px var(--refused-fill); text-underline-offset: 4px }

.actions { display: flex; flex-wrap: wrap; gap: 8px }
button { height: 32px; padding: 0 12px; border: 1px solid var(--line-strong); border-radius: 6px; background: none; color: var(--muted); font: 500 13px var(--sans); cursor: pointer }
button:hover:enabled { background: var(--raised); color: var(--text) }
button.primary { border-color: var(--alive); background: var(--alive-ground); color: var(--alive) }
button.primary:hover:enabled { background: var(--alive); color: var(--surface) }
button:disabled { opacity: .5; cursor: default }

.answer { color: var(--muted) }
.answer:not(:empty) { margin-top: 12px; padding-top: 10px; border-top: 1px solid var(--line) }
.answer code { display: block; margin-top: 4px; color: var(--text); overflow-wrap: anywhere; white-space: pre-wrap }
.facts { display: flex; align-items: center; gap: 12px }
.facts a, .no-trace { margin-left: auto }
.facts a { color: var(--text) }
.status { padding: 0 8px; border-radius: 4px; background: var(--raised); color: var(--text); font: 600 12px/22px var(--mono) }
.status-4 { background: var(--refused-ground); color: var(--refused) }
.status-5 { background: var(--failed-ground); color: var(--failed) }
.status-a { background: var(--aborted-ground); color: var(--aborted) }
.duration { font: 12px var(--mono) }
`
