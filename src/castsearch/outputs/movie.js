"use strict";
(() => {
  const { data, at, el, stage, ready } = shared;
  const { movie } = data;
  const FIRST = 36; // crops of one cast drawn when it comes into view
  const MORE = 120; // crops added by one press, or by scrolling on
  const BINS = 100; // bars of the strip that shows where the right ones stand
  const count = new Intl.NumberFormat("en");
  const canWatch = "IntersectionObserver" in window;

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  const verdict = (candidate, member) => {
    const label = movie.labels[candidate];
    if (label === -1) return "";
    return label === member ? "right" : "wrong";
  };
  const mark = { right: "✓ right", wrong: "✗ wrong", "": "" };
  const truthOf = (candidate) => {
    const label = movie.labels[candidate];
    if (label === -1) return "not known";
    if (label === -2) return "nobody of the cast";
    return typeof label === "number" ? movie.cast[label].name : label;
  };
  const scoreOf = (cast, position) => {
    if (!cast.scores.length) return "";
    const score = cast.scores[position];
    // A face without a score: it is the portrait that shows none.
    if (score === null) return movie.faces[cast.order[position]] === "1" ? "no score" : "no face";
    const size = Math.abs(score);
    const odd = size >= 1e5 || (size > 0 && size < 0.0005);
    return (odd ? score.toPrecision(3) : score.toFixed(3)).replace("-", "\u2212");
  };
  const reasonOf = (cast, position) =>
    cast.reasons.length ? data.reasons[cast.reasons[position]] : "";

  // ---- one cast member -------------------------------------------------------------------
  const blocks = [];

  const strip = (cast, member) => {
    const n = cast.order.length;
    const bins = Array.from({ length: Math.min(BINS, n) }, () => [0, 0]);
    cast.order.forEach((candidate, i) => {
      const bin = bins[Math.floor((i * bins.length) / n)];
      bin[0] += verdict(candidate, member) === "right" ? 1 : 0;
      bin[1] += 1;
    });
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("class", "strip");
    svg.setAttribute("viewBox", `0 0 ${bins.length} 1`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "Share of right crops from the first rank (left) to the last");
    const path = document.createElementNS(space, "path");
    path.setAttribute(
      "d",
      bins.map(([hits, all], i) => (hits ? `M${i} 1v${-hits / all}h.9V1z` : "")).join(""),
    );
    svg.append(path);
    return svg;
  };

  const blindness = (blind, all) =>
    all === 1 ? "No face found in the portrait" : `No face found in ${blind} of ${all} portraits`;

  const build = (cast, member) => {
    const node = el("section", "cast");
    const heading = el("h3", "", cast.name);
    heading.id = `cast-${member}`;
    node.setAttribute("aria-labelledby", heading.id);
    const facts = el("p");
    if (cast.ap !== null) facts.append("AP ", el("b", "", cast.ap.toFixed(3)), " · ");
    const truth = movie.labels.some((label) => label !== -1);
    const n = cast.order.length;
    if (truth) {
      const hits = cast.order.filter((c) => movie.labels[c] === member).length;
      facts.append(el("b", "", count.format(hits)), " right of ");
    }
    facts.append(el("b", "", count.format(n)), n === 1 ? " crop" : " crops");
    const words = el("div", "", heading, facts);
    if (cast.id !== cast.name) words.append(el("p", "", cast.id));
    if (truth && n > 1) {
      const ends = el("span", "ends", el("span", "", "rank 1"), el("span", "", count.format(n)));
      words.append(strip(cast, member), ends);
    }
    const portraits = el("div", "portraits");
    for (const [thumb, box, aspect] of cast.portraits) {
      portraits.append(stage(thumb, aspect, `Portrait of ${cast.name}`, box));
    }
    const blind = cast.portraits.filter(([, , , face]) => !face).length;
    if (blind) words.append(el("p", "warning", blindness(blind, cast.portraits.length)));
    const list = el("ol", "crops waiting");
    list.setAttribute("aria-label", `Crops ranked for ${cast.name}; arrow keys move between them`);
    const empty = el("p", "empty");
    const more = el("button", "more");
    more.type = "button";
    node.append(el("div", "who", portraits, words), list, empty, more);
    const block = { cast, member, node, list, empty, more };
    Object.assign(block, { positions: [], shown: 0, follow: false, key: plain(`${cast.name} ${cast.id}`) });
    more.addEventListener("click", () => {
      block.follow = true;
      const from = block.shown;
      draw(block, MORE);
      if (more.hidden) focusOn(block, from);
    });
    list.addEventListener("click", (event) => {
      const button = event.target.closest(".crop");
      if (button) enlarge(block, Number(button.dataset.index));
    });
    list.addEventListener("keydown", (event) => walk(block, event));
    blocks.push(block);
    return node;
  };

  const crop = (block, index) => {
    const { cast, member } = block;
    const position = block.positions[index];
    const candidate = cast.order[position];
    const kind = verdict(candidate, member);
    const button = el("button", `crop ${kind}`.trim());
    const unlikely = data.namedFrom !== null && !(cast.scores[position] >= data.namedFrom);
    button.classList.toggle("unlikely", unlikely);
    button.type = "button";
    button.dataset.index = index;
    button.tabIndex = index === 0 ? 0 : -1;
    const { thumbs, boxes, aspects, ids, problems } = movie;
    const score = scoreOf(cast, position);
    const words = el("span", "words");
    const rank = el("b", "", `#${position + 1}`);
    words.append(el("span", "line", rank, el("span", "score", score)));
    if (kind) words.append(el("span", "mark", mark[kind]));
    const instead = kind === "wrong" ? `is ${truthOf(candidate)}` : "";
    if (instead) words.append(el("span", "why", instead));
    const why = problems[candidate] || reasonOf(cast, position);
    if (why) words.append(el("span", "why", why));
    button.append(stage(thumbs[candidate], aspects[candidate], "", boxes[candidate]), words);
    button.setAttribute(
      "aria-label",
      [`Rank ${position + 1}`, ids[candidate], kind, instead, score && `score ${score}`, why,
        unlikely && "rather none of these"]
        .filter(Boolean)
        .join(", "),
    );
    return el("li", "", button);
  };

  const draw = (block, n) => {
    const end = Math.min(block.positions.length, block.shown + n);
    const part = document.createDocumentFragment();
    for (let i = block.shown; i < end; i += 1) part.append(crop(block, i));
    block.list.append(part);
    block.shown = end;
    block.list.classList.remove("waiting");
    const left = block.positions.length - end;
    block.more.hidden = left === 0;
    block.more.textContent = `Show ${count.format(Math.min(MORE, left))} more of ${count.format(left)}`;
    if (left) watch(block);
    else observer?.unobserve(block.more);
  };

  // A press of "show more", or a cast shown alone, asks for the rest as the reader scrolls; other
  // casts stay short, so that the next one is never 2,000 crops away.
  const observer = canWatch
    ? new IntersectionObserver(
        (entries) => {
          for (const entry of entries) {
            const block = blocks.find((b) => b.more === entry.target);
            if (!entry.isIntersecting || block.node.hidden) continue;
            if (block.shown === 0) draw(block, FIRST);
            else if (block.follow) draw(block, MORE);
          }
        },
        { rootMargin: "900px 0px" },
      )
    : null;
  const watch = (block) => {
    observer?.unobserve(block.more);
    observer?.observe(block.more); // observing anew reports once more where it stands
  };

  const drawAll = () => {
    for (const block of blocks) {
      if (!block.node.hidden && block.shown === 0 && block.positions.length) draw(block, FIRST);
    }
  };

  // ---- filters ---------------------------------------------------------------------------
  const keep = {
    all: () => true,
    right: (c, member) => verdict(c, member) === "right",
    wrong: (c, member) => verdict(c, member) === "wrong",
    noface: (c) => movie.faces[c] === "0",
  };
  const said = { all: "", right: "right", wrong: "wrong", noface: "without a face" };

  const apply = () => {
    const show = document.querySelector("input[name=show]:checked").value;
    const wanted = plain(at("name").value.trim());
    const cast = at("cast").value;
    const matching = blocks.filter(
      (b) => (cast === "" || b.member === Number(cast)) && b.key.includes(wanted),
    );
    const chosen = new Set(matching);
    let crops = 0;
    for (const block of blocks) {
      block.node.hidden = !chosen.has(block);
      if (block.node.hidden) continue;
      block.follow = matching.length === 1;
      const ids = block.cast.order;
      block.positions = [...ids.keys()].filter((i) => keep[show](ids[i], block.member));
      crops += block.positions.length;
      block.list.replaceChildren();
      block.shown = 0;
      const n = block.positions.length;
      block.list.classList.toggle("waiting", n > 0);
      block.empty.textContent = n ? "" : `No crop ${said[show]} here.`.replace("  ", " ");
      block.empty.hidden = n > 0;
      block.more.hidden = n === 0;
      block.more.textContent = "Show crops";
      if (n) watch(block);
    }
    if (!canWatch) drawAll();
    at("status").textContent = matching.length
      ? `${matching.length} of ${blocks.length} cast members, ${count.format(crops)} crops ${said[show]}`
      : "Nobody matches; change the name.";
  };

  // ---- keyboard --------------------------------------------------------------------------
  const focusOn = (block, index) => {
    while (index >= block.shown && block.shown < block.positions.length) draw(block, MORE);
    const buttons = block.list.querySelectorAll(".crop");
    const button = buttons[Math.min(index, buttons.length - 1)];
    if (!button) return;
    for (const other of block.list.querySelectorAll(".crop[tabindex='0']")) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  };
  const walk = (block, event) => {
    const index = Number(event.target.dataset.index);
    if (event.altKey || event.ctrlKey || event.metaKey || Number.isNaN(index)) return;
    const columns = getComputedStyle(block.list).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    let to = index + (step[event.key] ?? NaN);
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = block.shown - 1;
    if (Number.isNaN(to)) return;
    event.preventDefault();
    const last = block.positions.length - 1;
    const row = (i) => Math.floor(i / columns);
    if (event.key === "ArrowDown" && row(index) < row(last)) to = Math.min(to, last);
    if (to >= 0 && to <= last) focusOn(block, to);
  };

  // ---- one crop, enlarged ----------------------------------------------------------------
  const dialog = at("enlarged");
  let open = null;

  const enlarge = (block, index) => {
    open = { block, index };
    const { cast, member } = block;
    const position = block.positions[index];
    const candidate = cast.order[position];
    const kind = verdict(candidate, member);
    at("enlarged-title").textContent = `#${position + 1} for ${cast.name}`;
    at("enlarged-picture").replaceChildren(
      stage(movie.thumbs[candidate], movie.aspects[candidate], `Candidate ${movie.ids[candidate]}`, movie.boxes[candidate]),
    );
    const facts = el("dl", kind);
    const fact = (name, value, className) => {
      if (value) facts.append(el("dt", "", name), el("dd", className, value));
    };
    fact("Candidate", movie.ids[candidate]);
    fact("Rank", `${count.format(position + 1)} of ${count.format(cast.order.length)}`);
    fact("Score", scoreOf(cast, position));
    fact("Decided by", reasonOf(cast, position));
    fact("Face", movie.faces[candidate] === "1" ? "found" : "none found");
    fact("Problem", movie.problems[candidate]);
    fact("Verdict", mark[kind], "mark");
    if (kind) fact("Truth", truthOf(candidate));
    const table = el("table", "", el("caption", "", "Its rank for the others, best first"));
    const head = el("tr", "", ...["Cast", "Rank", "Score"].map((text) => el("th", "", text)));
    for (const cell of head.children) cell.scope = "col";
    const body = el("tbody");
    const others = movie.cast
      .map((other) => ({ other, place: other.order.indexOf(candidate) }))
      .filter(({ other, place }) => other !== cast && place >= 0)
      .sort((a, b) => a.place - b.place);
    for (const { other, place } of others) {
      const name = el("th", "", other.name);
      name.scope = "row";
      const rank = el("td", "", `#${count.format(place + 1)}`);
      body.append(el("tr", "", name, rank, el("td", "", scoreOf(other, place))));
    }
    table.append(el("thead", "", head), body);
    at("enlarged-facts").replaceChildren(facts, ...(body.children.length ? [table] : []));
    at("previous").disabled = index === 0;
    at("next").disabled = index + 1 >= block.positions.length;
    if (!dialog.open) dialog.showModal();
  };
  const turn = (by) => {
    const to = open.index + by;
    if (to >= 0 && to < open.block.positions.length) enlarge(open.block, to);
  };
  at("previous").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  // On the document: a button that goes grey under the focus takes the dialog's keys with it.
  document.addEventListener("keydown", (event) => {
    if (!dialog.open) return;
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
  dialog.addEventListener("close", () => focusOn(open.block, open.index));

  // ---- start -----------------------------------------------------------------------------
  const section = el("section", "movie");
  const heading = el("h2", "", movie.id);
  heading.id = "movie-title";
  section.setAttribute("aria-labelledby", heading.id);
  const facts = [`${movie.cast.length} cast`, `${count.format(movie.ids.length)} candidates`];
  if (movie.mAP !== null) facts.push(`mAP ${movie.mAP.toFixed(3)}`);
  heading.append(" ", el("small", "", facts.join(" · ")));
  section.append(heading, ...movie.cast.map(build));
  at("results").append(section);
  movie.cast.forEach(({ name }, member) => {
    const option = el("option", "", name);
    option.value = String(member);
    at("cast").append(option);
  });
  at("cast").addEventListener("change", apply);
  at("name").addEventListener("input", apply);
  for (const input of document.querySelectorAll("input[name=show]")) {
    input.addEventListener("change", apply);
  }
  at("filters").hidden = false;
  at("hint").hidden = false;
  apply();
  ready(drawAll);
})();
