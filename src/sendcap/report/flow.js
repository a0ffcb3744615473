"use strict";
// The picture of the flow, by the rules of flow.py. Nothing is counted here: the figures
// of a moment are the first moment's and all changes since.
const flow = (() => {
  const OUTCOMES = ["accepted", "backing_off", "failed"];
  const FAILURES = ["hard", "expired", "returned", "relay_failed"];
  const THINNEST = 0.7;
  const number = (pixels) => String(Math.floor(10 * pixels + 0.5) / 10);
  const sum = (counts) => counts.reduce((all, count) => all + count, 0);

  function undone(changes) {
    let count = 0;
    return changes.map((change) => (count += change));
  }

  function band(x0, y0, x1, y1, tall) {
    const [from, middle, to] = [x0, (x0 + x1) / 2, x1].map(number);
    const [top, bottom, toTop, toBottom] = [y0, y0 + tall, y1, y1 + tall].map(number);
    return `M${from} ${top}C${middle} ${top} ${middle} ${toTop} ${to} ${toTop}` +
      `V${toBottom}C${middle} ${toBottom} ${middle} ${bottom} ${from} ${bottom}Z`;
  }

  function ended(counts, outcome) {
    if (outcome !== "failed") return counts[outcome];
    return counts.hard.map((_, p) => sum(FAILURES.map((place) => counts[place][p])));
  }

  function bands(layout, placed, totals, counts) {
    const [left, middle, right] = layout.columns;
    const drawn = {};
    const put = (key, x0, y0, x1, y1, messages) => {
      const tall = messages * placed.pixels;
      drawn[key] = messages ? band(x0, y0, x1, y1, Math.max(tall, THINNEST)) : "";
      return tall;
    };
    let y = placed.top;
    const ends = placed.outcomes.slice();
    placed.providers.forEach((place, p) => {
      let start = place;
      const relayed = totals[p] - counts.not_relayed[p] - counts.relay_failed[p];
      y += put(`in${p}`, left + layout.bar, y, middle, start, relayed);
      put(`relayed${p}`, middle, start, middle + layout.bar, start, relayed);
      OUTCOMES.forEach((outcome, k) => {
        const messages = ended(counts, outcome)[p] - (outcome === "failed" ? counts.relay_failed[p] : 0);
        const tall = put(`${outcome}${p}`, middle + layout.bar, start, right, ends[k], messages);
        start += tall;
        ends[k] += tall;
      });
      put(`waiting${p}`, middle, start, middle + layout.bar, start, counts.waiting[p]);
    });
    y += put("lost", left + layout.bar, y, right, ends[2], sum(counts.relay_failed));
    put("not_relayed", left, y, left + layout.bar, y, sum(counts.not_relayed));
    OUTCOMES.forEach((outcome, k) => {
      const start = placed.outcomes[k];
      put(outcome, right, start, right + layout.bar, start, sum(ended(counts, outcome)));
    });
    return drawn;
  }

  function texts(totals, counts, count) {
    const total = Math.max(sum(totals), 1);
    const told = {};
    for (const [place, each] of Object.entries(counts)) told[place] = count(sum(each));
    for (const outcome of OUTCOMES) {
      const messages = sum(ended(counts, outcome));
      told[outcome] = count(messages);
      told[`${outcome}-share`] = `${((100 * messages) / total).toFixed(2)} %`;
    }
    counts.waiting.forEach((each, p) => { told[`waiting${p}`] = count(each); });
    return told;
  }

  // Of a page's element with pictures, and the figures of its run: how to show a delivery's moment.
  function shown(element, figures, layouts, count) {
    const places = figures.map((which) => Object.fromEntries(
      Object.entries(which.places).map(([place, all]) => [place, all.map(undone)])));
    const pictures = Array.from(element.querySelectorAll("svg[data-layout]")).map((svg) => ({
      svg,
      layout: layouts[svg.dataset.layout],
      parts: Array.from(svg.querySelectorAll("[data-flow]")),
      groups: Array.from(svg.querySelectorAll("[data-at]")),
    }));
    return (delivery, row, moment) => {
      const which = figures[delivery];
      const counts = Object.fromEntries(
        Object.entries(places[delivery]).map(([place, all]) => [place, all.map((each) => each[row])]));
      const told = { ...texts(which.totals, counts, count), moment };
      for (const { svg, layout, parts, groups } of pictures) {
        const placed = which.shapes[svg.dataset.layout];
        const drawn = bands(layout, placed, which.totals, counts);
        svg.setAttribute("viewBox", `0 0 ${layout.width} ${placed.height}`);
        for (const part of parts) {
          const key = part.dataset.flow;
          if (part.tagName === "path") part.setAttribute("d", drawn[key]);
          else part.textContent = key === "name" ? which.name[svg.dataset.layout] : told[key];
        }
        for (const group of groups) {
          const [kind, number] = group.dataset.at.split(" ");
          const x = Number(group.dataset.x);
          group.setAttribute("transform", `translate(${x} ${placed[kind][Number(number)]})`);
        }
      }
    };
  }

  // A copy of the picture that is seen, as a file.
  function save(element, name) {
    const pictures = Array.from(element.querySelectorAll("svg[data-layout]"));
    const svg = pictures.find((each) => each.getBoundingClientRect().width > 0) || pictures[0];
    const copy = svg.cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    const link = document.createElement("a");
    const text = new XMLSerializer().serializeToString(copy);
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  return { shown, save };
})();
