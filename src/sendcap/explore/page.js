"use strict";
(() => {
  const element = (id) => document.getElementById(id);
  const sliders = JSON.parse(element("data").textContent).map((slider) => {
    const box = document.querySelector(`[data-key="${slider.key}"]`);
    const [range, field] = box.querySelectorAll("input");
    return { ...slider, range, field };
  });
  const radios = Array.from(document.querySelectorAll('input[name="modes"]'));
  const select = element("delivery");
  const phone = window.matchMedia("(max-width: 50rem)");
  const written = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 4 });
  let scenario = "";
  let simulation = 0;
  let exact = false;

  function position() {
    const mode = radios.find((radio) => radio.checked).value;
    return {
      values: Object.fromEntries(sliders.filter((slider) => slider.field.value !== "")
        .map((slider) => [slider.key, Number(slider.field.value)])),
      ...(mode ? { modes: [mode] } : {}),
      delivery: select ? select.value : "*",
      narrow: phone.matches,
    };
  }

  async function ask(name, asked) {
    const answer = await fetch(name, {
      method: "POST", body: JSON.stringify(asked), headers: { "Content-Type": "application/json" },
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer.json();
  }

  function show(answer) {
    element("problem").hidden = !answer.problem;
    element("problem").innerHTML = answer.problem;
    if (answer.problem) return;
    element("tiles").innerHTML = answer.tiles;
    element("words").innerHTML = answer.words;
    scenario = answer.scenario;
  }

  function draw(chart) {
    element("chart").innerHTML = chart;
    element("chart").setAttribute("aria-busy", "false");
  }

  function fail(error) {
    element("problem").hidden = false;
    const lost = error instanceof TypeError;
    element("problem").textContent = lost ? "The server does not answer: is sendcap explore still running?" : error.message;
  }

  // One question at a time. While a slider is dragged, numbers are asked for at once, and a chart
  // when the last one is old.
  let asking = false;
  let again = false;
  let drawn = 0;
  let later = 0;
  async function answer() {
    if (asking) { again = true; return; }
    asking = true;
    do {
      again = false;
      const asked = position();
      element("chart").setAttribute("aria-busy", "true");
      try {
        const found = await ask("answer", asked);
        if (found.simulate) {
          element("problem").hidden = true;
          scenario = found.scenario;
          simulateSoon(found.simulate);
          continue;
        }
        show(found);
        if (!found.problem && (!again || performance.now() - drawn > 600)) {
          const { chart, bounds, simulate: why } = await ask("picture", asked);
          // Whoever has had it simulated meanwhile sees that.
          if (exact) continue;
          if (why) simulateSoon(why);
          if (chart) {
            draw(chart);
            element("bounds").innerHTML = bounds;
          }
          drawn = performance.now();
        }
      } catch (error) { fail(error); }
    } while (again);
    asking = false;
  }

  function simulateSoon(why) {
    element("told").textContent = why;
    clearTimeout(later);
    later = setTimeout(simulate, 300);
  }

  function moved() {
    clearTimeout(later);
    simulation += 1;
    exact = false;
    element("progress").hidden = true;
    element("told").textContent = "";
    const settings = new URLSearchParams();
    for (const { key, own, field } of sliders) {
      if (field.value !== "" && Number(field.value) !== own) settings.set(key, field.value);
    }
    const mode = radios.find((radio) => radio.checked).value;
    if (mode) settings.set("mode", mode);
    if (select && select.value !== "*") settings.set("delivery", select.value);
    const text = settings.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname);
    answer();
  }

  function put(slider, value) {
    slider.field.value = String(value);
    follow(slider);
  }

  // A slider stands at the step that is nearest to the number beside it.
  function follow({ steps, range, field }) {
    const value = Number(field.value);
    const far = (step) => Math.abs(Math.log(step / value));
    const nearest = steps.reduce((best, step, place) => (far(step) < far(steps[best]) ? place : best), 0);
    if (value > 0) range.value = String(nearest);
    range.setAttribute("aria-valuetext", written(value));
  }

  for (const slider of sliders) {
    slider.range.addEventListener("input", () => {
      slider.field.value = String(slider.steps[Number(slider.range.value)]);
      slider.range.setAttribute("aria-valuetext", written(Number(slider.field.value)));
      moved();
    });
    slider.field.addEventListener("change", () => { follow(slider); moved(); });
    put(slider, slider.own);
  }
  for (const radio of radios) radio.addEventListener("change", moved);
  if (select) select.addEventListener("change", moved);
  // A phone that is turned keeps what was simulated.
  phone.addEventListener("change", () => { if (exact) simulate(); else answer(); });

  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  async function simulate() {
    simulation += 1;
    const own = simulation;
    const asked = position();
    const bar = element("progress");
    bar.hidden = false;
    bar.value = 0;
    element("told").textContent = "Simulating …";
    try {
      for (;;) {
        const found = await ask("simulate", asked);
        if (own !== simulation) return;
        bar.value = found.share;
        if (found.problem !== undefined) {
          show(found);
          draw(found.chart || element("chart").innerHTML);
          break;
        }
        await pause(150);
        if (own !== simulation) return;
      }
      exact = true;
      element("told").textContent = "Simulated.";
    } catch (error) { if (own === simulation) fail(error); }
    if (own === simulation) bar.hidden = true;
  }
  element("simulate").addEventListener("click", simulate);

  element("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([scenario], { type: "application/toml" }));
    link.download = "what-if.toml";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  element("link").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      element("told").textContent = "Copied.";
    } catch {
      element("told").textContent = "The link is in the address bar.";
    }
  });
  element("reset").addEventListener("click", () => {
    for (const slider of sliders) put(slider, slider.own);
    moved();
  });

  function read() {
    const settings = new URLSearchParams(location.hash.slice(1));
    for (const slider of sliders) {
      const value = Number(settings.get(slider.key));
      put(slider, value > 0 ? value : slider.own);
    }
    const mode = radios.find((radio) => radio.value === (settings.get("mode") || "")) || radios[0];
    mode.checked = true;
    if (select) {
      const name = settings.get("delivery");
      const there = Array.from(select.options).some((option) => option.value === name);
      select.value = there ? name : "*";
    }
    answer();
  }
  window.addEventListener("hashchange", read);
  read();
})();
