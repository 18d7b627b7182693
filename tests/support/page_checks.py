"""JavaScript that looks at a page as its readers do: what can be read, named and reached."""

OVERFLOW = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
# Every text in sight with less contrast to what is behind it than WCAG 2 asks for (AA: 4.5).
PALE = """
(() => {
  const parse = text => {
    const srgb = text.startsWith("color(srgb") ? 255 : 1;
    const [r, g, b, a = 1] = text.replace("color(srgb", "").match(/[\\d.]+/g).map(Number);
    return [r * srgb, g * srgb, b * srgb, a];
  };
  const over = (top, below) => top.slice(0, 3).map((value, at) => value * top[3] + below[at] * (1 - top[3]));
  const light = color => {
    const [r, g, b] = color.map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    if (!element) return [255, 255, 255];
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const pale = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!(own || element.matches("input, textarea, select")) || !element.checkVisibility()) continue;
    if (element.matches("option, svg *, .unseen")) continue;
    let opacity = 1;
    for (let each = element; each; each = each.parentElement) opacity *= getComputedStyle(each).opacity;
    const back = behind(element);
    const ink = parse(getComputedStyle(element).color);
    const [one, other] = [light(over([...ink.slice(0, 3), ink[3] * opacity], back)), light(back)];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const words = element.textContent.slice(0, 40);
    if (contrast < 4.5) pale.push(`${contrast.toFixed(2)} ${element.tagName}.${element.className} ${words}`);
  }
  return pale;
})()
"""
# Each control without a name that a screen reader could say.
NAMELESS = """
[...document.querySelectorAll("button, a, input, select, textarea, summary, [role=region]")].filter(each =>
  !(each.getAttribute("aria-label") || each.labels?.[0]?.textContent.trim()
    || (!each.matches("input, select, textarea") && each.textContent.trim()))
).map(each => each.outerHTML.slice(0, 100))
"""
FOCUS = """
(() => {
  const each = document.activeElement;
  const style = getComputedStyle(each.matches("input[type=radio]") ? each.closest("label") : each);
  return {name: each.id || each.value || each.textContent.trim(), tag: each.tagName,
          visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1};
})()
"""
