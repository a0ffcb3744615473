(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const slider = document.getElementById("time");
  const compute = document.getElementById("compute");
  const play = document.getElementById("play");
  const WHOLE_MS = 20000;
  let played = 0;
  const moment = document.getElementById("moment");
  const live = document.getElementById("live");
  const buttons = Array.from(document.querySelectorAll(".jumps button"));
  const integers = new Intl.NumberFormat("en-US");
  const count = (value) => integers.format(value);
  const pct = (value) => (value === null ? "–" : `${value.toFixed(2)} %`);
  const put = (place, text) => {
    if (place.textContent !== text) place.textContent = text;
  };

  const runs = Array.from(document.querySelectorAll(".run")).map((element, number) => ({
    element,
    figures: data.runs[number],
    select: element.querySelector("select"),
    boards: Array.from(element.querySelectorAll(".board")),
    showFlow: flow.shown(element, data.runs[number].flow.deliveries, data.layouts, count),
  }));

  function delivery(run) {
    return run.figures.deliveries[run.select ? Number(run.select.value) : 0];
  }

  function showBoard(board, run, step) {
    const which = delivery(run);
    const readings = which.modes[Number(board.dataset.mode)];
    const now = run.figures.now[step];
    const row = compute.checked ? now : run.figures.shown[step];
    const engagement = compute.checked ? now : run.figures.engagement[step];
    const values = {
      to_deliver: count(which.toDeliver),
      sent: count(readings.sent[row]),
      delivered_pct: pct(readings.delivered_pct[row]),
      bounces_errors_pct: pct(readings.bounces_errors_pct[row]),
      open_rate_pct: pct(readings.open_rate_pct[engagement]),
      click_through_pct: pct(readings.click_through_pct[engagement]),
    };
    const notes = {
      sent: pct((100 * readings.sent[row]) / which.toDeliver),
      delivered_pct: count(readings.sent[row]),
      bounces_errors_pct: count(readings.failed[row]),
    };
    for (const [name, text] of Object.entries(values)) {
      put(board.querySelector(`[data-kpi="${name}"]`), text);
    }
    for (const [name, text] of Object.entries(notes)) {
      put(board.querySelector(`[data-note="${name}"]`), text);
    }
    const log = `Sent ${count(readings.sent[row])}, Failed ${count(readings.failed[row])}, Pending ${count(readings.pending[row])}`;
    put(board.querySelector("[data-log]"), log);
    put(board.querySelector("[data-error]"), error(readings.delivered_pct[row], readings.from_end_pt[row]));
  }

  function error(shown, off) {
    if (shown === null) return "There is no Delivered % yet.";
    if (off === null) return "";
    if (off === 0) return "Delivered % is what it will be in the end.";
    return `Delivered % is ${Math.abs(off).toFixed(2)} points ${off > 0 ? "above" : "below"} its end.`;
  }

  function showTruth(run, step) {
    const which = delivery(run);
    const row = run.figures.now[step];
    for (const [name, column] of Object.entries(which.truth)) {
      const share = (100 * column[row]) / which.toDeliver;
      put(run.element.querySelector(`[data-truth="${name}"]`), count(column[row]));
      put(run.element.querySelector(`[data-share="${name}"]`), pct(share));
      run.element.querySelector(`.bar .${name}`).style.width = `${share}%`;
    }
    put(run.element.querySelector("[data-end]"), pct(which.truthPct));
  }

  function asOf(run, step) {
    const { now, shown, engagement } = run.figures.asOf;
    const spoken = data.slider.spoken[step];
    const last = now[step] === spoken ? "this moment" : `the last count, after ${now[step]}`;
    const text = compute.checked ? `Figures as of ${last}.` : refreshed(spoken, shown[step], engagement[step]);
    return opensAreEarly(run, step) ? `${text} ${data.earlyOpens}` : text;
  }

  function refreshed(spoken, shown, engagement) {
    const at = (moment) => (moment === spoken ? "at this moment" : `after ${moment}`);
    const figures = shown === null ? "No figures have been refreshed yet" : `Figures as last refreshed: ${at(shown)}`;
    if (engagement === shown) return `${figures}.`;
    return `${figures}; opens and clicks ${engagement === null ? "not yet" : at(engagement)}.`;
  }

  function opensAreEarly(run, step) {
    const row = compute.checked ? run.figures.now[step] : run.figures.engagement[step];
    return delivery(run).modes.some((mode) => Math.max(mode.open_rate_pct[row], mode.click_through_pct[row]) > 100);
  }

  function told(step) {
    const parts = runs.map((run, number) => {
      const which = delivery(run);
      const row = compute.checked ? run.figures.now[step] : run.figures.shown[step];
      const modes = run.figures.modes.map((mode, place) => {
        const readings = which.modes[place];
        return `${mode.label}: Delivered ${pct(readings.delivered_pct[row])}, Bounces and errors ${pct(readings.bounces_errors_pct[row])}`;
      });
      const name = runs.length > 1 ? `${document.querySelectorAll(".run h3")[number].textContent}: ` : "";
      return `${name}${modes.join("; ")}; accepted: ${pct((100 * which.truth.delivered[run.figures.now[step]]) / which.toDeliver)}`;
    });
    return `After ${data.slider.spoken[step]}. ${parts.join(". ")}.`;
  }

  let later = 0;
  function show() {
    const step = Number(slider.value);
    const spoken = data.slider.spoken[step];
    const clock = data.slider.clock[step];
    const text = clock ? `${spoken} (${clock})` : spoken;
    put(moment, text);
    slider.setAttribute("aria-valuetext", `${text} after the start`);
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.step) === step));
    }
    for (const run of runs) {
      for (const board of run.boards) showBoard(board, run, step);
      showTruth(run, step);
      put(run.element.querySelector("[data-asof]"), asOf(run, step));
      run.showFlow(run.select ? Number(run.select.value) : 0, run.figures.now[step], text);
    }
    // A screen reader is told where the slider stops, not each step on the way.
    clearTimeout(later);
    later = setTimeout(() => put(live, told(step)), 600);
  }

  // Whoever wants no motion sees the moments of the buttons, one after the other.
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const last = Number(slider.max);
  let playing = 0;

  function stop() {
    playing = 0;
    put(play, "Play");
  }

  function go(step) {
    slider.value = step;
    show();
    if (step >= last) stop();
  }

  function advance(number) {
    if (number !== playing) return;
    const step = Number(slider.value);
    if (still.matches) {
      const next = data.slider.jumps.find((jump) => jump > step);
      go(next === undefined ? last : next);
      setTimeout(() => advance(number), 2000);
      return;
    }
    const began = performance.now() - (step / last) * WHOLE_MS;
    const draw = (now) => {
      if (number !== playing) return;
      const next = Math.min(Math.floor(((now - began) / WHOLE_MS) * last), last);
      if (next > Number(slider.value)) go(next);
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  play.addEventListener("click", () => {
    if (playing) return stop();
    if (Number(slider.value) >= last) go(0);
    playing = ++played;
    put(play, "Pause");
    advance(playing);
  });
  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => {
      const moment = data.slider.spoken[Number(slider.value)].replaceAll(" ", "-");
      flow.save(button.closest("figure"), `flow-after-${moment}.svg`);
    });
  }

  slider.addEventListener("input", () => { stop(); show(); });
  compute.addEventListener("change", show);
  for (const run of runs) if (run.select) run.select.addEventListener("change", show);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      stop();
      go(Number(button.dataset.step));
    });
  }
  // Only what is wider than the screen can be scrolled.
  function hint() {
    for (const text of document.querySelectorAll(".hint")) {
      const below = text.nextElementSibling;
      text.hidden = below.scrollWidth <= below.clientWidth + 1;
    }
  }
  window.addEventListener("resize", hint);
  document.addEventListener("toggle", hint, true);
  document.fonts.ready.then(hint);
  // A closed part would be missing on paper.
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
  show();
})();
