// @ts-check
// What a link leads to is shown where the link is: after a moment under the mouse, when it
// gets the focus, or when a finger rests on it. The texts were written by the build, a
// file a page, so that this works without a server. After a jump, a button leads back.

(() => {
  /**
   * @typedef {Window & {
   *   bookPreviews?: Record<string, Record<string, string>>,
   *   MathJax?: {
   *     startup?: { promise?: Promise<unknown> },
   *     typesetPromise?: (elements: Element[]) => Promise<unknown>,
   *   },
   * }} Book
   */
  const book = /** @type {Book} */ (window);
  const root = document.documentElement.dataset.content_root ?? "./";
  const base = new URL(root, location.href);
  const WAIT = 250;
  const PRESS = 500;

  /** @type {HTMLElement | null} */
  let shown = null;
  /** @type {HTMLAnchorElement | null} */
  let owner = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let pressed = false;

  // The page and the part of it that a link leads to, if the build wrote previews of it.
  /** @type {(link: HTMLAnchorElement) => [string, string] | null} */
  const target = (link) => {
    const address = new URL(link.href, location.href);
    if (!address.hash || !address.pathname.startsWith(base.pathname)) return null;
    const page = address.pathname.slice(base.pathname.length).replace(/\.html$/, "");
    return [page, decodeURIComponent(address.hash.slice(1))];
  };

  /** @type {Record<string, Promise<void>>} */
  const loading = {};
  /** @type {(page: string) => Promise<void>} */
  const load = (page) => {
    loading[page] ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = new URL(`_static/previews/${page}.js`, base).href;
      script.addEventListener("load", () => resolve());
      script.addEventListener("error", () => resolve());
      document.head.append(script);
    });
    return loading[page];
  };

  const hide = () => {
    clearTimeout(timer);
    shown?.remove();
    owner?.removeAttribute("aria-describedby");
    shown = owner = null;
  };

  /** @type {(link: HTMLAnchorElement) => Promise<void>} */
  const show = async (link) => {
    const to = target(link);
    if (!to) return;
    const [page, name] = to;
    await load(page);
    const text = book.bookPreviews?.[page]?.[name];
    if (!text || owner === link) return;
    hide();
    const box = document.createElement("div");
    box.className = "preview";
    box.id = "preview";
    box.setAttribute("role", "tooltip");
    box.innerHTML = text.replaceAll("{root}", base.href);
    box.addEventListener("mouseenter", () => clearTimeout(timer));
    box.addEventListener("mouseleave", later);
    document.body.append(box);
    owner = link;
    shown = box;
    link.setAttribute("aria-describedby", "preview");
    place(link, box);
    if (box.querySelector(".math") && book.MathJax?.typesetPromise) {
      await book.MathJax.typesetPromise([box]);
      if (shown === box) place(link, box);
    }
  };

  /** @type {(link: Element, box: HTMLElement) => void} */
  const place = (link, box) => {
    const at = link.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const below = at.bottom + size.height + 12 < innerHeight || at.top < size.height + 12;
    const top = below ? at.bottom + 6 : at.top - size.height - 6;
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8));
    box.style.top = `${top + scrollY}px`;
    box.style.left = `${left + scrollX}px`;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, WAIT);
  };

  /** @type {(link: HTMLAnchorElement) => void} */
  const attend = (link) => {
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void show(link), WAIT);
    };
    link.removeAttribute("title");
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") soon();
    });
    link.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") later();
    });
    link.addEventListener("focus", () => {
      if (link.matches(":focus-visible")) soon();
    });
    link.addEventListener("blur", later);
    link.addEventListener("touchstart", () => {
      pressed = false;
      clearTimeout(timer);
      timer = setTimeout(() => {
        pressed = true;
        void show(link);
      }, PRESS);
    }, { passive: true });
    link.addEventListener("touchend", (event) => {
      if (pressed) event.preventDefault();
      else clearTimeout(timer);
    });
    link.addEventListener("touchmove", () => clearTimeout(timer), { passive: true });
    link.addEventListener("contextmenu", (event) => {
      if (pressed) event.preventDefault();
    });
    link.addEventListener("click", () => remember(link));
  };

  // --- the way back
  const KEY = "came-from";
  /** @type {(link: Element) => void} */
  const remember = (link) => {
    const section = link.closest("section")?.querySelector("h1, h2, h3");
    const number = section?.querySelector(".section-number")?.textContent ?? section?.textContent ?? "";
    const name = number.replace(/[#\s]+$/, "").trim() || document.title;
    sessionStorage.setItem(KEY, JSON.stringify({ name, address: location.href.split("#")[0], y: scrollY }));
    hide();
    setTimeout(offer, 50);
  };
  const offer = () => {
    document.querySelector(".back-chip")?.remove();
    /** @type {unknown} */
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (!kept || !location.hash) return;
    const { name, address, y } = /** @type {{ name: string, address: string, y: number }} */ (kept);
    const chip = document.createElement("div");
    chip.className = "back-chip";
    chip.setAttribute("role", "navigation");
    chip.setAttribute("aria-label", "Way back");
    const back = document.createElement("button");
    back.type = "button";
    back.textContent = `\u21a9 Back to ${name}`;
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "\u00d7";
    close.setAttribute("aria-label", "Stay here");
    chip.append(back, close);
    const forget = () => {
      sessionStorage.removeItem(KEY);
      chip.remove();
    };
    close.addEventListener("click", forget);
    back.addEventListener("click", () => {
      forget();
      if (address === location.href.split("#")[0]) {
        history.pushState(null, "", address);
        scrollTo({ top: y, behavior: "instant" });
      } else {
        sessionStorage.setItem("go-to", JSON.stringify({ address, y }));
        location.href = address;
      }
    });
    document.body.append(chip);
  };
  const arrive = () => {
    /** @type {unknown} */
    const kept = JSON.parse(sessionStorage.getItem("go-to") ?? "null");
    if (!kept) return offer();
    sessionStorage.removeItem("go-to");
    const { address, y } = /** @type {{ address: string, y: number }} */ (kept);
    if (address !== location.href) return;
    void Promise.resolve(book.MathJax?.startup?.promise).then(() => scrollTo({ top: y, behavior: "instant" }));
  };

  for (const link of document.querySelectorAll("article a.internal[href*='#'], article a[href*='#'].reference"))
    if (link instanceof HTMLAnchorElement && !link.classList.contains("headerlink")) attend(link);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  addEventListener("load", arrive);
})();
