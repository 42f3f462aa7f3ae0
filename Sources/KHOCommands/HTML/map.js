// Draws the map and the owners from the data in the page.
//
// Text from the data is only ever set as text. Pages are numbers up to 2^52, so there is no bitwise
// arithmetic on them.
'use strict';
(() => {
  const $ = id => document.getElementById(id);
  const D = JSON.parse($('data').textContent);
  const page = 2 ** D.pageShift;
  // A list of stretches as it is packed: distance, pages, used pages, order, owner + 1.
  const unpack = list => {
    const n = list.length / 5, start = new Float64Array(n), count = new Float64Array(n),
      used = new Float64Array(n), order = new Uint8Array(n), owner = new Int32Array(n);
    let at = 0, longest = 0;
    for (let i = 0; i < n; i++) {
      start[i] = at + list[5 * i];
      count[i] = list[5 * i + 1];
      used[i] = list[5 * i + 2] || count[i];
      order[i] = list[5 * i + 3];
      owner[i] = list[5 * i + 4] - 1;
      at = start[i] + count[i];
      longest = Math.max(longest, count[i]);
    }
    return { n, start, count, used, order, owner, longest };
  };
  const memory = unpack(D.segments), nodes = unpack(D.nodes);
  // The first stretch that may reach behind `at`; stretches overlap only in broken handovers.
  const firstAt = (list, at) => {
    let low = 0, high = list.n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list.start[middle] + list.longest > at) high = middle; else low = middle + 1;
    }
    return low;
  };
  const forEachIn = (list, from, to, body) => {
    for (let i = firstAt(list, from); i < list.n && list.start[i] < to; i++) {
      const a = Math.max(list.start[i], from), b = Math.min(list.start[i] + list.count[i], to);
      if (a < b) body(i, a, b, (b - a) * list.used[i] / list.count[i]);
    }
  };

  const sizeText = bytes => {
    const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
    let unit = 0;
    while (bytes >= 1024 && unit < 6) { bytes /= 1024; unit++; }
    return (bytes >= 100 || Number.isInteger(bytes) ? Math.round(bytes) : bytes.toFixed(2)) + ' ' + units[unit];
  };
  const addressText = pageNumber => '0x' + (BigInt(pageNumber) << BigInt(D.pageShift)).toString(16);
  const rangeText = (from, to) =>
    addressText(from) + ' – 0x' + ((BigInt(to) << BigInt(D.pageShift)) - 1n).toString(16);
  const orderColor = order => D.colors.orders[Math.min(order, D.colors.orders.length - 1)];
  const ownerColor = owner =>
    owner < 0 || owner === D.unowned ? '#8a97a6' : 'hsl(' + (owner * 137.508 + 210) % 360 + ' 58% ' + (60 + owner * 7 % 14) + '%)';
  const ownerName = owner => owner < 0 ? 'no owner' : D.owners[owner][0];
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // MARK: What is shown: 4^k cells from `start` on, of `cell` pages each.
  const state = { layout: 'hilbert', color: 'order', start: 0, cell: 1, k: 7, at: -1, owner: null };
  const cellCount = () => 4 ** state.k;
  const fit = (from, to) => {
    let cell = 1, k = 2;
    while (k < 7 && Math.ceil(to / cell) - Math.floor(from / cell) > 4 ** k) k++;
    while (Math.ceil(to / cell) - Math.floor(from / cell) > 4 ** k) cell *= 2;
    return { cell, k, start: Math.floor(from / cell) * cell };
  };
  const whole = fit(D.view[0], D.view[0] + D.view[1]);
  const show = view => { Object.assign(state, view); state.at = -1; draw(); mark(); };
  const zoomTo = at => {
    if (state.cell === 1 && state.k === 2) return;
    // A sixteenth of what is shown, so that on the curve it is a square of cells.
    const span = cellCount() * state.cell / 16;
    const start = state.start + Math.floor((at - state.start) / span) * span;
    show(fit(start, start + span));
  };
  const zoomOut = () => {
    const span = cellCount() * state.cell * 16;
    if (span >= cellCountOf(whole) * whole.cell) return show(whole);
    const start = whole.start + Math.floor((state.start - whole.start) / span) * span;
    show(fit(start, start + span));
  };
  const cellCountOf = view => 4 ** view.k;

  // MARK: From cells to places and back
  const side = () => 2 ** state.k;
  const columns = () => state.layout === 'rows' ? side() * 2 : side();
  const rows = () => cellCount() / columns();
  const placeOf = index => {
    if (state.layout === 'rows') return [index % columns(), Math.floor(index / columns())];
    let x = 0, y = 0, rest = index;
    for (let s = 1; s < side(); s *= 2) {
      const right = 1 & (rest >> 1), down = 1 & (rest ^ right);
      if (!down) {
        if (right) { x = s - 1 - x; y = s - 1 - y; }
        [x, y] = [y, x];
      }
      x += s * right;
      y += s * down;
      rest >>= 2;
    }
    return [x, y];
  };
  let cellAt = new Int32Array(0);

  // MARK: Drawing
  const canvas = $('map'), overlay = $('mark'), stage = $('stage');
  let mainOrder, mainOwner, share;
  const sumUp = () => {
    const n = cellCount(), orderSlots = new Map(D.orders.map((order, i) => [order, i]));
    const byOrder = new Float64Array(n * Math.max(1, D.orders.length));
    const total = new Float64Array(n), best = new Float64Array(n);
    mainOrder = new Int16Array(n).fill(-1);
    mainOwner = new Int32Array(n).fill(-2);
    const ownerCount = D.owners.length + 1, byOwner = new Float32Array(n * ownerCount);
    forEachIn(memory, state.start, state.start + n * state.cell, (i, a, b) => {
      const density = memory.used[i] / memory.count[i];
      const first = Math.floor((a - state.start) / state.cell), last = Math.floor((b - 1 - state.start) / state.cell);
      for (let c = first; c <= last; c++) {
        const cellStart = state.start + c * state.cell;
        const pages = (Math.min(b, cellStart + state.cell) - Math.max(a, cellStart)) * density;
        total[c] += pages;
        byOrder[c * D.orders.length + (orderSlots.get(memory.order[i]) || 0)] += pages;
        byOwner[c * ownerCount + memory.owner[i] + 1] += pages;
      }
    });
    share = total;
    for (let c = 0; c < n; c++) {
      if (!total[c]) continue;
      let most = 0;
      for (let o = 0; o < D.orders.length; o++) {
        const pages = byOrder[c * D.orders.length + o];
        if (pages > most) { most = pages; mainOrder[c] = D.orders[o]; }
      }
      most = 0;
      for (let o = 0; o < ownerCount; o++) {
        const pages = byOwner[c * ownerCount + o];
        if (pages > most) { most = pages; mainOwner[c] = o - 1; }
      }
      share[c] = Math.min(1, total[c] / state.cell);
    }
  };
  const draw = () => {
    stage.dataset.layout = state.layout;
    const ratio = window.devicePixelRatio || 1, width = stage.clientWidth, height = stage.clientHeight;
    for (const c of [canvas, overlay]) { c.width = Math.round(width * ratio); c.height = Math.round(height * ratio); }
    sumUp();
    const n = cellCount(), w = columns(), h = rows();
    cellAt = new Int32Array(n).fill(-1);
    const ink = canvas.getContext('2d');
    const free = css('--free');
    ink.fillStyle = css('--card');
    ink.fillRect(0, 0, canvas.width, canvas.height);
    const gap = canvas.width / w >= 6 * ratio ? ratio : 0;
    const box = (x, y) => {
      const left = Math.round(x * canvas.width / w), top = Math.round(y * canvas.height / h);
      return [left, top, Math.round((x + 1) * canvas.width / w) - left - gap, Math.round((y + 1) * canvas.height / h) - top - gap];
    };
    const end = D.view[0] + D.view[1];
    for (let c = 0; c < n; c++) {
      const [x, y] = placeOf(c), from = state.start + c * state.cell;
      cellAt[y * w + x] = c;
      const b = box(x, y);
      ink.globalAlpha = from >= end || from + state.cell <= D.view[0] ? .35 : 1;
      ink.fillStyle = free;
      ink.fillRect(...b);
      if (mainOrder[c] < 0) continue;
      ink.globalAlpha = .4 + .6 * share[c];
      ink.fillStyle = state.color === 'order' ? orderColor(mainOrder[c]) : ownerColor(mainOwner[c]);
      if (state.owner !== null && mainOwner[c] !== state.owner) ink.globalAlpha *= .22;
      ink.fillRect(...b);
    }
    ink.globalAlpha = 1;
    const cellsOf = (first, count, body) => {
      const a = Math.max(0, Math.floor((first - state.start) / state.cell));
      const b = Math.min(n - 1, Math.floor((first + count - 1 - state.start) / state.cell));
      for (let c = a; c <= b; c++) body(box(...placeOf(c)));
    };
    ink.fillStyle = D.colors.node;
    forEachIn(nodes, state.start, state.start + n * state.cell, (i, a, b) => cellsOf(a, b - a, q => ink.fillRect(...q)));
    if (D.deviceTree) {
      ink.fillStyle = D.colors.deviceTree;
      cellsOf(D.deviceTree[0], D.deviceTree[1], q => ink.fillRect(...q));
    }
    ink.strokeStyle = D.colors.scratch;
    ink.lineWidth = Math.max(1, ratio);
    for (const area of D.scratch) {
      cellsOf(area[0], area[1], ([x, y, cw, ch]) => {
        ink.beginPath();
        ink.moveTo(x, y + ch);
        ink.lineTo(x + cw, y);
        ink.stroke();
      });
    }
    $('range').textContent = rangeText(state.start, state.start + n * state.cell);
    $('scale').textContent = sizeText(state.cell * page) + ' a square; paler where only a part of it is preserved, faint outside the handover.';
    for (const b of document.querySelectorAll('[data-layout]')) if (b.tagName === 'BUTTON') b.setAttribute('aria-pressed', b.dataset.layout === state.layout);
    for (const b of document.querySelectorAll('[data-color]')) b.setAttribute('aria-pressed', b.dataset.color === state.color);
    key();
  };
  const key = () => {
    const list = $('key');
    list.replaceChildren();
    const add = (color, text) => {
      const item = document.createElement('li'), swatch = document.createElement('i');
      swatch.className = 'key';
      swatch.style.background = color;
      item.append(swatch, text);
      list.append(item);
    };
    if (state.color === 'order') {
      for (const order of D.orders) add(orderColor(order), 'order ' + order + ', ' + sizeText(page * 2 ** order));
    } else {
      D.owners.slice(0, 14).forEach((owner, i) => add(ownerColor(i), owner[0]));
      if (D.owners.length > 14) add('transparent', 'and ' + (D.owners.length - 14) + ' more, below');
    }
    add(D.colors.node, D.nodeName);
    add(D.colors.deviceTree, 'root device tree');
    if (D.scratch.length) add(D.colors.scratch, 'scratch (striped)');
    add(css('--free'), 'not preserved');
  };

  // MARK: Where the reader points
  const describe = cell => {
    const from = state.start + cell * state.cell, to = from + state.cell, lines = [];
    lines.push(['mono', rangeText(from, to)]);
    if (D.deviceTree && D.deviceTree[0] < to && D.deviceTree[0] + D.deviceTree[1] > from) lines.push(['', 'root device tree']);
    let nodeCount = 0;
    forEachIn(nodes, from, to, (i, a, b, pages) => { nodeCount += pages; });
    if (nodeCount) lines.push(['', (Math.round(nodeCount) === 1 ? '1 ' + D.nodeName : Math.round(nodeCount) + ' pages: ' + D.nodeName)]);
    if (D.scratch.some(area => area[0] < to && area[0] + area[1] > from)) lines.push(['', 'scratch']);
    const found = new Map();
    forEachIn(memory, from, to, (i, a, b, pages) => {
      const name = memory.order[i] + ' ' + memory.owner[i];
      const entry = found.get(name) || { order: memory.order[i], owner: memory.owner[i], pages: 0 };
      entry.pages += pages;
      found.set(name, entry);
    });
    const entries = [...found.values()].sort((a, b) => b.pages - a.pages);
    for (const entry of entries.slice(0, 4)) {
      lines.push(['', 'order ' + entry.order + ', ' + sizeText(entry.pages * page) + ': ' + ownerName(entry.owner)]);
    }
    if (entries.length > 4) lines.push(['dim', 'and ' + (entries.length - 4) + ' more']);
    if (!entries.length && !nodeCount) lines.push(['dim', 'not preserved']);
    return lines;
  };
  const fill = (element, lines) => element.replaceChildren(...lines.map(([name, text]) => {
    const line = document.createElement('p');
    line.className = name;
    line.textContent = text;
    return line;
  }));
  const mark = () => {
    const ink = overlay.getContext('2d'), tip = $('tip');
    ink.clearRect(0, 0, overlay.width, overlay.height);
    tip.hidden = state.at < 0;
    if (state.at < 0) return;
    const [x, y] = placeOf(state.at), w = overlay.width / columns(), h = overlay.height / rows();
    ink.strokeStyle = css('--ink');
    ink.lineWidth = 2 * (window.devicePixelRatio || 1);
    ink.strokeRect(x * w - 1, y * h - 1, w + 2, h + 2);
    const lines = describe(state.at);
    fill($('where'), lines);
    fill(tip, lines);
    const px = (x + 1) / columns() * stage.clientWidth, py = (y + 1) / rows() * stage.clientHeight;
    tip.style.left = Math.min(px + 10, Math.max(0, px - tip.offsetWidth - 26, stage.clientWidth - tip.offsetWidth - 8)) + 'px';
    if (px + 10 + tip.offsetWidth > stage.clientWidth) tip.style.left = Math.max(0, px - tip.offsetWidth - 26) + 'px';
    tip.style.top = Math.max(0, Math.min(py + 10, stage.clientHeight - tip.offsetHeight - 8)) + 'px';
  };
  const cellUnder = event => {
    const bounds = stage.getBoundingClientRect();
    const x = Math.floor((event.clientX - bounds.left) / bounds.width * columns());
    const y = Math.floor((event.clientY - bounds.top) / bounds.height * rows());
    return x >= 0 && y >= 0 && x < columns() && y < rows() ? cellAt[y * columns() + x] : -1;
  };
  stage.addEventListener('pointermove', event => {
    const cell = cellUnder(event);
    if (cell !== state.at) { state.at = cell; mark(); }
  });
  stage.addEventListener('pointerleave', () => { state.at = -1; mark(); });
  stage.addEventListener('click', event => {
    const cell = cellUnder(event);
    if (cell >= 0) zoomTo(state.start + cell * state.cell);
  });
  stage.addEventListener('wheel', event => {
    event.preventDefault();
    const cell = cellUnder(event);
    if (event.deltaY > 0) zoomOut(); else if (cell >= 0) zoomTo(state.start + cell * state.cell);
  }, { passive: false });
  stage.addEventListener('keydown', event => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (step) {
      const [x, y] = state.at < 0 ? [0, 0] : placeOf(state.at);
      const nx = Math.min(columns() - 1, Math.max(0, x + (state.at < 0 ? 0 : step[0])));
      const ny = Math.min(rows() - 1, Math.max(0, y + (state.at < 0 ? 0 : step[1])));
      state.at = cellAt[ny * columns() + nx];
      mark();
    } else if (event.key === '+' || event.key === 'Enter') {
      zoomTo(state.start + Math.max(0, state.at) * state.cell);
    } else if (event.key === '-' || event.key === 'Escape') {
      zoomOut();
    } else if (event.key === '0') {
      show(whole);
    } else return;
    event.preventDefault();
  });
  $('in').addEventListener('click', () => zoomTo(state.start + (state.at < 0 ? 0 : state.at * state.cell)));
  $('out').addEventListener('click', zoomOut);
  $('all').addEventListener('click', () => show(whole));
  for (const b of document.querySelectorAll('button[data-layout]')) b.addEventListener('click', () => show({ layout: b.dataset.layout }));
  for (const b of document.querySelectorAll('button[data-color]')) b.addEventListener('click', () => show({ color: b.dataset.color }));

  // MARK: Owners: rectangles as large as their share, as square as can be
  const treemap = () => {
    const box = $('treemap'), items = D.owners.map((owner, i) => ({ i, value: owner[2] })).filter(item => item.value > 0);
    const sum = items.reduce((total, item) => total + item.value, 0);
    box.replaceChildren();
    let x = 0, y = 0, w = box.clientWidth, h = box.clientHeight;
    const scale = w * h / Math.max(1, sum);
    const worst = (row, length) => {
      const area = row.reduce((total, item) => total + item.value * scale, 0), thickness = area / length;
      return Math.max(...row.map(item => { const other = item.value * scale / thickness; return Math.max(thickness / other, other / thickness); }));
    };
    const place = row => {
      const area = row.reduce((total, item) => total + item.value * scale, 0), length = Math.min(w, h), thickness = area / length;
      let offset = 0;
      for (const item of row) {
        const extent = item.value * scale / thickness;
        if (w >= h) tile(item, x, y + offset, thickness, extent); else tile(item, x + offset, y, extent, thickness);
        offset += extent;
      }
      if (w >= h) { x += thickness; w -= thickness; } else { y += thickness; h -= thickness; }
    };
    const tile = (item, left, top, width, height) => {
      const element = document.createElement('div'), owner = D.owners[item.i], name = document.createElement('b');
      element.className = 'tile';
      element.setAttribute('role', 'listitem');
      element.tabIndex = 0;
      const percent = (100 * owner[2] / sum).toFixed(1) + ' %';
      element.title = owner[0] + ', ' + sizeText(owner[2]) + ' in ' + owner[1] + ' entries, ' + percent;
      element.setAttribute('aria-label', element.title);
      Object.assign(element.style, { left: left + 'px', top: top + 'px', width: width + 'px', height: height + 'px', background: ownerColor(item.i) });
      if (width > 46 && height > 24) {
        name.textContent = owner[0];
        element.append(name);
        if (height > 44 && width > 80) element.append(sizeText(owner[2]) + ', ' + percent);
      }
      const select = on => { state.owner = on ? item.i : null; element.classList.toggle('on', on); draw(); mark(); };
      element.addEventListener('pointerenter', () => select(true));
      element.addEventListener('pointerleave', () => select(false));
      element.addEventListener('focus', () => select(true));
      element.addEventListener('blur', () => select(false));
      box.append(element);
    };
    let row = [];
    for (const item of items) {
      const length = Math.min(w, h);
      if (row.length && worst([...row, item], length) > worst(row, length)) { place(row); row = []; }
      row.push(item);
    }
    if (row.length) place(row);
  };

  // MARK: Theme and address bar: #rows, #owner, #dark, #light, #at=0x1000, joined by commas
  const theme = name => {
    document.documentElement.dataset.theme = name;
    $('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
  };
  theme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  $('theme').addEventListener('click', () => { theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'); draw(); mark(); });
  const follow = () => {
    const view = { ...whole, layout: 'hilbert', color: 'order' };
    let at = -1, zoom = 0;
    for (const word of location.hash.slice(1).split(',')) {
      if (word === 'rows' || word === 'hilbert') view.layout = word;
      if (word === 'order' || word === 'owner') view.color = word;
      if (word === 'dark' || word === 'light') theme(word);
      const match = /^(at|zoom)=(0x[0-9a-f]{1,16}|[0-9]{1,3})$/i.exec(word);
      if (match && match[1] === 'at') at = Number(BigInt(match[2]) >> BigInt(D.pageShift));
      if (match && match[1] === 'zoom') zoom = Math.min(12, Number(match[2]));
    }
    show(view);
    if (at >= 0) {
      for (let i = 0; i < zoom; i++) zoomTo(at);
      const cell = Math.floor((at - state.start) / state.cell);
      if (cell >= 0 && cell < cellCount()) { state.at = cell; mark(); }
    }
  };
  addEventListener('hashchange', follow);
  follow();
  treemap();
  let timer = 0;
  addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(() => { draw(); mark(); treemap(); }, 60); });
  document.documentElement.dataset.state = 'ready';
})();
