extension MapHTML {
  /// Light, and dark where the reader's system or the button says so.
  static let style = #"""
    :root { --bg:#f6f8fb; --card:#ffffff; --ink:#1c2430; --dim:#5c6775; --line:#d8dfe8; --free:#e6ebf1; --accent:#2b62d9; --tip:#1c2430; --tipink:#f3f6fa; color-scheme: light }
    :root[data-theme=dark] { --bg:#0e1218; --card:#161c25; --ink:#e8edf4; --dim:#9aa6b6; --line:#2a3442; --free:#222b37; --accent:#7aa5ff; --tip:#f3f6fa; --tipink:#141a22; color-scheme: dark }
    * { box-sizing: border-box }
    body { margin:0; background:var(--bg); color:var(--ink); font:15px/1.45 ui-sans-serif, system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
    header { display:flex; flex-wrap:wrap; gap:14px 34px; align-items:center; padding:16px 24px; border-bottom:1px solid var(--line); background:var(--card) }
    h1 { font-size:19px; margin:0 } h2 { font-size:16px; margin:0 } h3 { font-size:12px; margin:0 0 6px; letter-spacing:.05em; text-transform:uppercase; color:var(--dim) }
    .path { margin:1px 0 0; color:var(--dim); font-size:13px; overflow-wrap:anywhere }
    .facts { display:flex; flex-wrap:wrap; gap:6px 26px; margin:0 auto 0 0 } .facts dt { font-size:12px; color:var(--dim) } .facts dd { margin:0; font-weight:600; font-variant-numeric:tabular-nums }
    main { padding:18px 24px 40px; display:grid; gap:18px; grid-template-columns:minmax(0,1fr); max-width:1480px; margin:0 auto }
    section { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:16px 18px }
    .note { margin:0; padding:10px 14px; border-left:3px solid #edb33c; background:var(--card) }
    .tools { display:flex; flex-wrap:wrap; gap:10px 16px; align-items:center; margin-bottom:14px } .tools h2 { margin-right:6px }
    .group { display:inline-flex } .group button:not(:first-child) { border-left:0; border-radius:0 } .group button:first-child { border-radius:7px 0 0 7px } .group button:last-child { border-radius:0 7px 7px 0 }
    button { font:inherit; font-size:13px; padding:5px 12px; border:1px solid var(--line); background:var(--card); color:var(--ink); border-radius:7px; cursor:pointer }
    button:hover { border-color:var(--accent) } button[aria-pressed=true] { background:var(--accent); border-color:var(--accent); color:var(--card) }
    button:focus-visible, #stage:focus-visible, summary:focus-visible, .tile:focus-visible { outline:2px solid var(--accent); outline-offset:2px }
    .mono { font-family:ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; font-size:12.5px; color:var(--dim) }
    .split { display:grid; grid-template-columns:minmax(0,1fr) 310px; gap:22px }
    #stage { position:relative; width:100%; max-width:min(100%, calc(100vh - 60px)); min-width:280px; aspect-ratio:1; margin:0 auto; border-radius:6px; overflow:hidden; cursor:crosshair; touch-action:manipulation }
    #stage[data-layout=rows] { aspect-ratio:2; max-width:100% }
    canvas { position:absolute; inset:0; width:100%; height:100%; display:block } #mark { pointer-events:none }
    #tip { position:absolute; z-index:2; pointer-events:none; max-width:300px; padding:7px 10px; border-radius:7px; background:var(--tip); color:var(--tipink); font-size:12.5px; line-height:1.4; box-shadow:0 4px 14px rgb(0 0 0 / .25) } #tip p { margin:0; overflow-wrap:anywhere } #tip .mono, #tip .dim { color:inherit; opacity:.75 } #scale { font-size:13px }
    aside p { margin:0 0 6px; overflow-wrap:anywhere } #where { min-height:158px; font-size:13.5px } .dim { color:var(--dim) }
    #key { list-style:none; padding:0; margin:0 0 12px; font-size:13px; display:grid; gap:3px; max-height:330px; overflow:auto } .key { display:inline-block; width:11px; height:11px; border-radius:3px; margin-right:8px; vertical-align:-1px }
    table { border-collapse:collapse; width:100%; margin-top:10px; font-variant-numeric:tabular-nums; font-size:13.5px } th, td { text-align:right; padding:5px 12px; border-bottom:1px solid var(--line); font-weight:400 } thead th { color:var(--dim); font-size:12px } th:first-child { text-align:left; overflow-wrap:anywhere }
    .bar, th.bar { width:42%; text-align:left } .bar i { display:block; height:9px; min-width:2px; border-radius:3px }
    #treemap { position:relative; height:300px; margin-top:12px; border-radius:6px; overflow:hidden }
    .tile { position:absolute; overflow:hidden; padding:5px 7px; font-size:12px; line-height:1.3; color:#10151c; border:1px solid var(--card); cursor:default } .tile b { display:block; font-weight:600; overflow:hidden; white-space:nowrap; text-overflow:ellipsis } .tile:hover, .tile.on { filter:brightness(1.12); box-shadow:inset 0 0 0 2px var(--ink) }
    details { margin-top:12px } summary { cursor:pointer; color:var(--dim); font-size:13px }
    @media (max-width:900px) { .split { grid-template-columns:minmax(0,1fr) } main, header { padding-left:12px; padding-right:12px } }
    @media print { .tools .group, #theme { display:none } }
    """#
}
