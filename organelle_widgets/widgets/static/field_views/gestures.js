// Hands on the views: mouse, touch, keys. Says what was meant; changes nothing but the camera.

const CLICK_SLACK = 4; // CSS pixels that a click may wander
const PAN_STEP = 60;

/**
 * Listen on the views. `actions` has hover(place | null), click(x, y), zoomTo(x, y), enter(), step(direction), oneToOne(),
 * side(event): which view an event is in, and origin(side): its rectangle.
 */
class Gestures {
  constructor(element, camera, actions, signal) {
    Object.assign(this, { element, camera, actions, pointers: new Map(), moved: 0 });
    const on = (name, f, options = {}) => element.addEventListener(name, f, { signal, ...options });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.forget(event));
    on("pointerleave", () => this.actions.hover(null));
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("dblclick", (event) => this.double(event));
    on("keydown", (event) => this.key(event));
  }

  /** Side and position in view pixels of an event; null outside both views. */
  where(event, side = this.actions.side(event)) {
    if (side === null) return null;
    const box = this.actions.origin(side);
    return { side, px: event.clientX - box.left, py: event.clientY - box.top };
  }

  down(event) {
    const at = this.where(event);
    if (!at || event.button !== 0 || event.target.closest("button")) return;
    this.pointers.set(event.pointerId, { ...at, id: event.pointerId });
    this.moved = this.pointers.size > 1 ? Infinity : 0;
    this.element.setPointerCapture(event.pointerId);
  }

  move(event) {
    const held = this.pointers.get(event.pointerId);
    if (!held) {
      const at = this.where(event);
      this.actions.hover(at && !event.target.closest("button") ? at : null);
      return;
    }
    const at = this.where(event, held.side);
    if (this.pointers.size === 1) this.drag(held, at);
    else this.pinch(held, at);
    Object.assign(held, at);
  }

  drag(held, at) {
    this.moved += Math.hypot(at.px - held.px, at.py - held.py);
    if (this.moved <= CLICK_SLACK) return;
    this.element.classList.add("ow-fv-dragging");
    this.camera.panBy(at.px - held.px, at.py - held.py);
    this.actions.hover(null);
  }

  pinch(held, at) {
    const other = [...this.pointers.values()].find((pointer) => pointer !== held);
    const middle = (p) => [(p.px + other.px) / 2, (p.py + other.py) / 2];
    const span = (p) => Math.max(1, Math.hypot(p.px - other.px, p.py - other.py));
    const [before, after] = [middle(held), middle(at)];
    this.camera.panBy(after[0] - before[0], after[1] - before[1]);
    this.camera.zoomAt(...after, span(at) / span(held));
  }

  up(event) {
    const held = this.pointers.get(event.pointerId);
    const clicked = held && this.moved <= CLICK_SLACK && this.pointers.size === 1;
    this.forget(event);
    if (clicked) this.actions.click(...this.camera.toField(held.px, held.py));
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.element.classList.remove("ow-fv-dragging");
  }

  wheel(event) {
    const at = this.where(event);
    if (!at) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a touchpad comes as a wheel with ctrl
    this.camera.zoomAt(at.px, at.py, Math.exp(-Math.max(-400, Math.min(400, event.deltaY * unit)) * speed));
    this.actions.hover(at);
  }

  double(event) {
    const at = this.where(event);
    if (at && !event.target.closest("button")) this.actions.zoomTo(...this.camera.toField(at.px, at.py));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, input")) return;
    const does = this.meaning(event.key);
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  }

  /** What a key does; undefined for nothing. */
  meaning(key) {
    const { camera, actions } = this;
    const middle = [camera.view.width / 2, camera.view.height / 2];
    return {
      ArrowLeft: () => camera.panBy(PAN_STEP, 0),
      ArrowRight: () => camera.panBy(-PAN_STEP, 0),
      ArrowUp: () => camera.panBy(0, PAN_STEP),
      ArrowDown: () => camera.panBy(0, -PAN_STEP),
      "+": () => camera.zoomAt(...middle, 1.25),
      "=": () => camera.zoomAt(...middle, 1.25),
      "-": () => camera.zoomAt(...middle, 0.8),
      0: () => camera.fit(),
      f: () => camera.fit(),
      1: () => actions.oneToOne(),
      n: () => actions.step(1),
      p: () => actions.step(-1),
      Enter: () => actions.enter(),
    }[key.length === 1 ? key.toLowerCase() : key];
  }
}
