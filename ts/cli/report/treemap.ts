// What was live at the peak, as areas: phases side by side, and sizes inside of each phase.
//
// The layout is the squarified one (Bruls, Huizing, van Wijk 2000): a row takes areas, the largest
// first, as long as that makes the worst of its rectangles squarer.

/** A rectangle. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Rectangles inside of `box` with areas like `weights`, in their order: positive, and falling. */
export function squarified(weights: readonly number[], box: Box): readonly Box[] {
  const scale = (box.width * box.height) / weights.reduce((sum, weight) => sum + weight, 0)
  const boxes: Box[] = []
  let left = box
  for (let from = 0; from < weights.length; ) {
    const side = Math.min(left.width, left.height)
    let to = from + 1
    let areas = [(weights[from] as number) * scale]
    for (; to < weights.length; to += 1) {
      const longer = [...areas, (weights[to] as number) * scale]
      if (worst(longer, side) > worst(areas, side)) break
      areas = longer
    }
    left = placeRow(areas, left, boxes)
    from = to
  }
  return boxes
}

/** How far the least square rectangle of a row is from a square. */
function worst(areas: readonly number[], side: number): number {
  const sum = areas.reduce((all, area) => all + area, 0)
  const [most, least] = [Math.max(...areas), Math.min(...areas)]
  return Math.max((side ** 2 * most) / sum ** 2, sum ** 2 / (side ** 2 * least))
}

/** Puts a row at the shorter side of a box; what is left of the box. */
function placeRow(areas: readonly number[], box: Box, boxes: Box[]): Box {
  const sum = areas.reduce((all, area) => all + area, 0)
  const isColumn = box.width >= box.height
  const thickness = sum / (isColumn ? box.height : box.width)
  let at = 0
  for (const area of areas) {
    const length = area / thickness
    boxes.push(
      isColumn
        ? { x: box.x, y: box.y + at, width: thickness, height: length }
        : { x: box.x + at, y: box.y, width: length, height: thickness },
    )
    at += length
  }
  return isColumn
    ? { ...box, x: box.x + thickness, width: Math.max(0, box.width - thickness) }
    : { ...box, y: box.y + thickness, height: Math.max(0, box.height - thickness) }
}
