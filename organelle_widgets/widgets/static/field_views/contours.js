// From a mask to outlines: each cell's boundary as a path in field pixels, exact and smoothed.

const MAX_ERROR = 0.3; // in pixels of the mask
const REACH = 3; // cracks on each side that a smoothed point is the mean of
const HEADINGS = [[0, -1], [1, 0], [0, 1], [-1, 0]]; // up, right, down, left
const AHEAD = [ // the pixels ahead of a corner, right and left of the heading
  [[0, -1], [-1, -1]],
  [[0, 0], [0, -1]],
  [[-1, 0], [0, 0]],
  [[-1, -1], [-1, 0]],
];

/**
 * Follow the cracks between pixels around every cell, the cell at the right hand, holes included.
 * Returns a Map from id to {exact, smooth}, both Path2D.
 */
function traceCells({ ids, width, height, step }) {
  const seen = new Uint8Array(ids.length);
  const cells = new Map();
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      const id = ids[i];
      if (!id || seen[i] || (x && ids[i - 1] === id)) continue;
      if (!cells.has(id)) cells.set(id, { exact: new Path2D(), smooth: new Path2D() });
      const loop = followCrack(ids, width, height, seen, x, y);
      const { exact, smooth } = cells.get(id);
      addLoop(exact, loop.corners, step);
      addLoop(smooth, simplified(relaxed(loop.middles)), step);
    }
  }
  return cells;
}

/** One closed boundary that goes up along the left edge of pixel (x, y). */
function followCrack(ids, width, height, seen, x, y) {
  const id = ids[y * width + x];
  const within = (px, py) => px >= 0 && py >= 0 && px < width && py < height && ids[py * width + px] === id;
  const corners = [];
  const middles = [];
  let [vx, vy, heading] = [x, y + 1, 0];
  do {
    const [dx, dy] = HEADINGS[heading];
    if (heading === 0) seen[(vy - 1) * width + vx] = 1;
    middles.push(vx + dx / 2, vy + dy / 2);
    vx += dx;
    vy += dy;
    const [right, left] = AHEAD[heading];
    let turn = 0;
    if (!within(vx + right[0], vy + right[1])) turn = 1;
    else if (within(vx + left[0], vy + left[1])) turn = 3;
    if (turn) corners.push(vx, vy);
    heading = (heading + turn) % 4;
  } while (vx !== x || vy !== y + 1 || heading !== 0);
  return { corners, middles };
}

function addLoop(path, points, step) {
  path.moveTo(points[0] * step, points[1] * step);
  for (let i = 2; i < points.length; i += 2) path.lineTo(points[i] * step, points[i + 1] * step);
  path.closePath();
}

/** The closed line with each point moved to the mean of its neighbourhood: stairs become slopes. */
function relaxed(points) {
  const count = points.length / 2;
  if (count < 8 * REACH) return points;
  const out = new Float32Array(points.length);
  for (const axis of [0, 1]) {
    let sum = 0;
    for (let i = -REACH; i <= REACH; i += 1) sum += points[2 * ((i + count) % count) + axis];
    for (let i = 0; i < count; i += 1) {
      out[2 * i + axis] = sum / (2 * REACH + 1);
      sum += points[2 * ((i + REACH + 1) % count) + axis] - points[2 * ((i - REACH + count) % count) + axis];
    }
  }
  return out;
}

/** Fewer points of a closed line, none of those left out farther than MAX_ERROR from it (Douglas and Peucker 1973). */
function simplified(points) {
  const count = points.length / 2;
  if (count < 8) return points;
  const keep = new Uint8Array(count);
  const far = farthestFrom(points, count);
  keep[0] = keep[far] = 1;
  const stack = [[0, far], [far, count]];
  while (stack.length) {
    const [first, last] = stack.pop();
    const [split, error] = farthestBetween(points, count, first, last);
    if (error > MAX_ERROR) {
      keep[split] = 1;
      stack.push([first, split], [split, last]);
    }
  }
  const kept = [];
  for (let i = 0; i < count; i += 1) if (keep[i]) kept.push(points[2 * i], points[2 * i + 1]);
  return kept;
}

function farthestFrom(points, count) {
  let [best, most] = [0, -1];
  for (let i = 1; i < count; i += 1) {
    const d = (points[2 * i] - points[0]) ** 2 + (points[2 * i + 1] - points[1]) ** 2;
    if (d > most) [best, most] = [i, d];
  }
  return best;
}

/** The point between two others of a closed line that lies farthest from their chord: [index, distance]. */
function farthestBetween(points, count, first, last) {
  const end = last % count;
  const [ax, ay, bx, by] = [points[2 * first], points[2 * first + 1], points[2 * end], points[2 * end + 1]];
  const length = Math.hypot(bx - ax, by - ay) || 1;
  let best = first;
  let most = 0;
  for (let i = first + 1; i < last; i += 1) {
    const d = Math.abs((bx - ax) * (points[2 * i + 1] - ay) - (by - ay) * (points[2 * i] - ax)) / length;
    if (d > most) {
      most = d;
      best = i;
    }
  }
  return [best, most];
}
