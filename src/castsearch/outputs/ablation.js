"use strict";
(() => {
  const { data, at, el, stage, ready } = shared;
  const FIRST = 10; // queries drawn at first, and by each press
  let shown = FIRST;
  const picture = (thumb, alt) => stage(thumb, data.aspects[thumb], alt);

  const crop = ([id, thumb, right, reason], i, name) => {
    const kind = right ? "right" : "wrong";
    const line = el("span", "line", el("b", "", `#${i + 1}`));
    line.append(el("span", "mark", right ? "✓ right" : "✗ wrong"));
    const words = el("span", "words", line, el("span", "why", data.reasons[reason]));
    const node = el("div", `crop ${kind}`, picture(thumb, `${id}, ranked ${i + 1} for ${name}`), words);
    node.title = `${id}: ${data.reasons[reason]}`;
    return el("li", "", node);
  };

  const side = (query, preset, other) => {
    const ap = query.ap[preset];
    const heading = el("h4", "", `${data.presets[preset]}: AP `, el("b", "", ap.toFixed(3)));
    const list = el("ol", "crops");
    list.setAttribute("aria-label", `First of ${data.presets[preset]} for ${query.name}`);
    list.append(...query.lists[preset].map((entry, i) => crop(entry, i, query.name)));
    return el("div", ap > query.ap[other] ? "side better" : "side", heading, list);
  };

  const build = (query, left, right, index) => {
    const node = el("section", "cast");
    const heading = el("h3", "", query.name);
    heading.id = `query-${index}`;
    node.setAttribute("aria-labelledby", heading.id);
    const gain = query.ap[right] - query.ap[left];
    const sign = gain < 0 ? "\u2212" : "+";
    const facts = el("p", "", `${data.movies[query.movie]} · ${query.n} right · difference `);
    facts.append(el("b", "", `${sign}${Math.abs(gain).toFixed(3)}`));
    const words = el("div", "", heading, facts);
    if (query.id !== query.name) words.append(el("p", "", query.id));
    const portraits = el("div", "portraits");
    portraits.append(...query.portraits.map((p) => picture(p, `Portrait of ${query.name}`)));
    const sides = el("div", "sides", side(query, left, right), side(query, right, left));
    node.append(el("div", "who", portraits, words), sides);
    return node;
  };

  const draw = () => {
    const [left, right] = [Number(at("left").value), Number(at("right").value)];
    const movie = at("movie").value;
    const change = (query) => Math.abs(query.ap[right] - query.ap[left]);
    const chosen = data.queries.filter((query) => movie === "" || query.movie === Number(movie));
    chosen.sort((a, b) => change(b) - change(a));
    const better = chosen.filter((query) => query.ap[right] > query.ap[left]).length;
    const worse = chosen.filter((query) => query.ap[right] < query.ap[left]).length;
    at("status").textContent =
      `${chosen.length} queries, largest difference first: ${better} better on the right, ` +
      `${worse} on the left, ${chosen.length - better - worse} equal`;
    at("results").replaceChildren(
      ...chosen.slice(0, shown).map((query, i) => build(query, left, right, i)),
    );
    const rest = chosen.length - shown;
    at("more").hidden = rest <= 0;
    at("more").textContent = `Show ${Math.min(FIRST, rest)} more of ${rest}`;
  };

  const fill = (id, names, chosen) => {
    names.forEach((name, i) => {
      const option = el("option", "", name);
      option.value = String(i);
      option.selected = i === chosen;
      at(id).append(option);
    });
    at(id).addEventListener("change", () => {
      shown = FIRST;
      draw();
    });
  };
  fill("left", data.presets, data.left);
  fill("right", data.presets, data.right);
  fill("movie", data.movies, -1);
  at("more").addEventListener("click", () => {
    const from = shown;
    shown += FIRST;
    draw();
    const first = at("results").children[from];
    first.tabIndex = -1;
    first.focus();
  });
  at("filters").hidden = false;
  draw();
  ready();
})();
