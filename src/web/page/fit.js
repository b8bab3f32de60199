// Making text fit: nothing on this page scrolls and nothing leaves the viewport.
//
// What arrives: the page as drawn. What leaves: the same page with the largest sizes that fit.
// What is promised: text is first made smaller, then left out line by line from the end, and every omission
// shows as an ellipsis or as a count. It may run again at any time (resize, a picture that came in) and starts afresh.

const overflows = (node) => node.scrollHeight > node.clientHeight + 1 || node.scrollWidth > node.clientWidth + 1;

// The largest size in rem, from `most` down to `least`, at which the node's text stays inside it.
function shrink(node, most, least, step, tooBig = overflows) {
  let size = most;
  node.style.fontSize = `${size}rem`;
  while (size > least && tooBig(node)) {
    size = Math.max(least, size - step);
    node.style.fontSize = `${size}rem`;
  }
}

// Hides children until the rest fits, in the given order; returns how many were hidden.
function thin(node, order) {
  let gone = 0;
  for (const child of order) {
    if (!overflows(node)) break;
    child.hidden = true;
    gone += 1;
  }
  return gone;
}

// Fits everything: the box and the last scans first, then the verdict.
export function fit() {
  fitBox();
  const feed = document.getElementById("feed");
  for (const row of feed.children) row.hidden = false;
  thin(feed, [...feed.children].reverse());

  const panel = document.getElementById("panel");
  const word = panel.querySelector(".word");
  if (word) {
    const room = panel.querySelector(".verdict")?.clientHeight ?? panel.clientHeight / 4;
    const tooBig = (node) => node.scrollWidth > node.clientWidth + 1 || node.offsetHeight > room;
    // A word breaks inside only where even the smallest size is too wide for it.
    word.classList.remove("clamp");
    word.style.overflowWrap = "normal";
    shrink(word, word.closest(".idle") ? 6 : 13, 3, 0.25, tooBig);
    if (tooBig(word)) word.style.overflowWrap = "anywhere";
    if (tooBig(word)) clamp(word, room);
  }
  const next = panel.querySelector(".next p");
  if (next) {
    const room = next.parentElement.clientHeight - 2 * parseFloat(getComputedStyle(next.parentElement).paddingTop);
    const tooBig = (node) => node.scrollHeight > room;
    next.classList.remove("clamp");
    shrink(next, 3.2, 1.6, 0.2, tooBig);
    if (tooBig(next)) clamp(next, room);
  }
  const why = panel.querySelector(".why");
  if (why) {
    const rows = [...why.children];
    const more = rows.pop();
    for (const row of rows) row.hidden = false;
    more.hidden = true;
    shrink(why, 2.4, 1.2, 0.1);
    if (overflows(why)) {
      more.hidden = false;
      const gone = thin(why, rows.reverse());
      more.textContent = `and ${gone} more`;
    }
  }
}

// Text that does not fit even at its smallest ends in an ellipsis on the last line there is room for.
function clamp(node, room) {
  node.classList.add("clamp");
  node.style.webkitLineClamp = String(Math.max(1, Math.floor(room / parseFloat(getComputedStyle(node).lineHeight))));
}

function fitBox() {
  const box = document.getElementById("box");
  const units = box.querySelector(".units");
  if (!units) return;
  const rest = box.querySelector(".rest");
  for (const unit of units.children) unit.hidden = false;
  const beyond = Number(rest.dataset.beyond);
  rest.hidden = beyond === 0;
  for (const how of ["rows", "lines", "tiles"]) {
    units.dataset.fit = how;
    if (!overflows(units)) break;
  }
  if (beyond === 0 && !overflows(units)) return;
  // What is already in goes first: the worker needs to see what is still to come.
  rest.hidden = false;
  rest.textContent = "and more"; // takes its place before the others are measured
  const rank = { received: 0, held: 1 };
  const order = [...units.children].reverse().sort((a, b) => (rank[a.dataset.state] ?? 2) - (rank[b.dataset.state] ?? 2));
  rest.textContent = `and ${beyond + thin(units, order)} more`;
}
