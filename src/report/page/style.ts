/** The style sheet and the one script of a report's page, which are the same on every page. */

/** Colours that people with any kind of colour vision can tell apart (after Okabe and Ito 2008), darker on white, lighter on black. */
const light = ["#0072b2", "#c24e00", "#00795a", "#a8467c", "#3f6fd9", "#8a6100", "#222222", "#6b4f9e"];
const dark = ["#56b4e9", "#ff9a5c", "#3ddbab", "#eba6cd", "#9fb8ff", "#f0c24a", "#ffffff", "#c5aef2"];

const colours = (list: readonly string[]) => list.map((colour, i) => `--c${i}:${colour}`).join(";");

export const STYLE = `
:root{color-scheme:light dark;--ink:#1c1c1c;--soft:#555;--back:#fff;--rule:#d0d0d0;--grid:#e6e6e6;--link:#0b5cad;${colours(light)}}
@media screen and (prefers-color-scheme:dark){:root{--ink:#ececec;--soft:#b4b4b4;--back:#161616;--rule:#4a4a4a;--grid:#303030;--link:#8ec5ff;${colours(dark)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:2.4rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.6rem 0 .4rem}
p,li{max-width:46rem;overflow-wrap:anywhere}
.made,figcaption .sub{color:var(--soft)}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;margin:1rem 0 0}
pre{overflow-x:auto;padding:.8rem 1rem;border:1px solid var(--rule);border-radius:4px;font-size:.88rem;line-height:1.45}
.wide{overflow-x:auto;margin:.6rem 0}
.wide:focus-visible,th button:focus-visible,summary:focus-visible,pre:focus-visible{outline:3px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;font-size:.92rem}
caption{text-align:left;color:var(--soft);padding:.2rem 0 .4rem}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top;font-variant-numeric:tabular-nums}
td.words{min-width:6rem}
@media (min-width:70rem){.wide{width:max-content;min-width:100%;max-width:calc(50vw + 27rem)}}
@media (max-width:70rem){th,td{padding:.3rem .4rem}}
th:first-child,.words{text-align:left}
tbody th{font-weight:600;text-align:left;overflow-wrap:anywhere;min-width:9.5rem}
thead th{border-bottom:2px solid var(--ink);vertical-align:bottom}
th button{all:unset;cursor:pointer;font-weight:600}
th button::after{content:"\\00a0\\2195";color:var(--soft)}
th[aria-sort=ascending] button::after{content:"\\00a0\\2191";color:var(--ink)}
th[aria-sort=descending] button::after{content:"\\00a0\\2193";color:var(--ink)}
figure{margin:1rem 0 1.4rem}
figcaption{font-weight:600}
figcaption .sub{font-weight:400;display:block;max-width:46rem}
figure svg{display:block;width:100%;min-width:34rem;max-width:48rem;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;list-style:none;padding:0;margin:.3rem 0}
.legend li{display:flex;align-items:center;gap:.4rem;font-size:.9rem}
.legend svg{width:44px;min-width:44px;height:16px}
svg text{fill:var(--ink);font-size:12.5px;font-family:inherit}
svg .name{font-size:13px}
svg .grid{stroke:var(--grid)}
svg .axis{stroke:var(--soft)}
svg .reference{stroke:var(--ink);stroke-dasharray:4 3}
svg .line{fill:none;stroke-width:2}
svg .whisker{stroke-width:1.5}
svg .interval{stroke-width:3}
svg .seed{opacity:.75}
${light.map((_, i) => `svg .c${i}{stroke:var(--c${i})}svg .c${i}.point,svg .c${i}.seed{fill:var(--c${i});stroke:none}`).join("\n")}
details{margin:.6rem 0}
summary{cursor:pointer}
@media print{main{max-width:none;padding:0}body{font-size:10.5pt}h2{break-after:avoid}figure,tr{break-inside:avoid}nav,th button::after{display:none}pre{white-space:pre-wrap}figure svg{min-width:0}.wide{overflow:visible}table{font-size:8pt}th,td{padding:.2rem .3rem}}
`;

/** Sorts the rows of a table by a column whose head was pressed, and opens what is closed before the page is printed. */
export const SCRIPT = `
for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
  const head = button.closest("th");
  const table = head.closest("table");
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const column = head.cellIndex;
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const order = (a, b) => {
    const [x, y] = [Number(key(a)), Number(key(b))];
    if (Number.isNaN(x) || Number.isNaN(y)) {
      if (Number.isNaN(x) && Number.isNaN(y)) return key(a).localeCompare(key(b)) * (down ? -1 : 1);
      return Number.isNaN(x) ? 1 : -1;
    }
    return (x - y) * (down ? -1 : 1);
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(order));
});
addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
`;

/** The SHA-256 of {@link SCRIPT}, by which the page allows it and no other script; a test computes it again. */
export const SCRIPT_DIGEST = "2TWapJvk0Zo1w11zUtCrl4m20o9/o9xKvsx1n+N/P4s=";
