"use strict";
// What every page shares. Everything from the run is put into the page as text, never as markup.
const shared = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);

  const el = (tag, className, ...content) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...content);
    return node;
  };

  // A picture with its face box, fitted into its stage by its proportions, so that picture and
  // box share one rectangle and the box can be set in percent.
  const stage = (thumb, aspect, alt, box) => {
    if (thumb < 0) return el("span", "stage", el("span", "none", "no picture"));
    const image = el("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = alt;
    image.src = `${data.thumbsAt}${data.thumbs[thumb]}.jpg`;
    const picture = el("span", "pic", image);
    if (!aspect) picture.classList.add("free");
    else picture.style.setProperty("--aspect", String(aspect / 1000));
    if (box) {
      const frame = el("span", "face");
      ["left", "top", "width", "height"].forEach((side, i) => {
        frame.style[side] = `${box[i] / 10}%`;
      });
      picture.append(frame);
    }
    return el("span", "stage", picture);
  };

  // Called when the page is drawn: what is printed is loaded, and whoever waits may go on.
  const ready = (beforePrint) => {
    window.addEventListener("beforeprint", () => {
      if (beforePrint) beforePrint();
      for (const image of document.images) image.loading = "eager";
    });
    document.documentElement.dataset.ready = "yes";
  };

  return { data, at, el, stage, ready };
})();
