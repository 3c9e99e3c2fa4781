// Where the two views look: one transform for both. Lengths on screen are CSS pixels, positions are field pixels.

const MAX_SCALE = 32;

/** `scale` is CSS pixels per field pixel; (x, y) is the field position at the middle of each view. */
class Camera {
  constructor(onMove) {
    this.onMove = onMove;
    this.field = { width: 1, height: 1 };
    this.view = { width: 1, height: 1 };
    Object.assign(this, { scale: 1, x: 0.5, y: 0.5, fitted: true, animation: 0 });
  }

  setField(width, height) {
    this.field = { width, height };
    this.fit(false);
  }

  setView(width, height) {
    this.view = { width: Math.max(1, width), height: Math.max(1, height) };
    if (this.fitted) this.fit(false);
    else this.move(this);
  }

  get fitScale() {
    return Math.min(this.view.width / this.field.width, this.view.height / this.field.height, MAX_SCALE);
  }

  /** Show the whole field. */
  fit(smooth = true) {
    this.go({ x: this.field.width / 2, y: this.field.height / 2, scale: this.fitScale }, smooth);
    this.fitted = true;
  }

  /** Go to {x, y, scale}, gliding unless the person asked the system for less motion. */
  go(target, smooth = true) {
    cancelAnimationFrame(this.animation);
    this.fitted = false;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!smooth || calm) {
      this.move(target);
      return;
    }
    const from = { x: this.x, y: this.y, scale: this.scale };
    const start = performance.now();
    const tick = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / 180));
      const ease = 1 - (1 - t) ** 3;
      const scale = from.scale * (target.scale / from.scale) ** ease;
      this.move({ x: from.x + (target.x - from.x) * ease, y: from.y + (target.y - from.y) * ease, scale });
      if (t < 1) this.animation = requestAnimationFrame(tick);
    };
    this.animation = requestAnimationFrame(tick);
  }

  /** Set the transform, kept within limits: never smaller than the whole field, never past its edge. */
  move({ x, y, scale }) {
    const low = Math.min(this.fitScale, 1);
    this.scale = Math.min(Math.max(scale, low), MAX_SCALE);
    this.x = Camera.within(x, this.field.width, this.view.width / this.scale);
    this.y = Camera.within(y, this.field.height, this.view.height / this.scale);
    this.onMove();
  }

  static within(center, length, seen) {
    if (seen >= length) return length / 2;
    return Math.min(Math.max(center, seen / 2), length - seen / 2);
  }

  /** Zoom by a factor with the field position under (px, py), in view pixels, staying put. */
  zoomAt(px, py, factor) {
    cancelAnimationFrame(this.animation);
    const [x, y] = this.toField(px, py);
    const scale = Math.min(Math.max(this.scale * factor, Math.min(this.fitScale, 1)), MAX_SCALE);
    this.fitted = scale <= this.fitScale * 1.0001 && factor < 1;
    const dx = (px - this.view.width / 2) / scale;
    const dy = (py - this.view.height / 2) / scale;
    this.move({ x: x - dx, y: y - dy, scale });
  }

  panBy(dx, dy) {
    cancelAnimationFrame(this.animation);
    this.fitted = false;
    this.move({ x: this.x - dx / this.scale, y: this.y - dy / this.scale, scale: this.scale });
  }

  /** Zoom to a box [x0, y0, x1, y1] with room around it. */
  zoomTo([x0, y0, x1, y1]) {
    const { width, height } = this.view;
    const scale = Math.min((0.6 * width) / (x1 - x0), (0.6 * height) / (y1 - y0), 8);
    this.go({ x: (x0 + x1) / 2, y: (y0 + y1) / 2, scale: Math.max(scale, this.fitScale) });
  }

  /** Bring a position into sight without a change of scale; does nothing where it is seen already. */
  reveal(x, y) {
    const [px, py] = this.toView(x, y);
    const seen = px > 0 && py > 0 && px < this.view.width && py < this.view.height;
    if (!seen) this.go({ x, y, scale: this.scale });
  }

  toField(px, py) {
    return [this.x + (px - this.view.width / 2) / this.scale, this.y + (py - this.view.height / 2) / this.scale];
  }

  toView(x, y) {
    return [(x - this.x) * this.scale + this.view.width / 2, (y - this.y) * this.scale + this.view.height / 2];
  }

  /** A round length of at most a quarter of the view, for the scale bar: {um, px}. */
  scaleBar(pixelSize) {
    const longest = Math.min(this.view.width / 4, 120) * (pixelSize / this.scale);
    const power = 10 ** Math.floor(Math.log10(longest));
    const um = power * [5, 2, 1].find((digit) => digit * power <= longest);
    return { um, px: (um / pixelSize) * this.scale };
  }
}
