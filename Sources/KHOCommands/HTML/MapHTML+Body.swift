extension MapHTML {
  /// The map with its tools.
  static let body = #"""
    <section class="wide map" aria-labelledby="map-title">
      <div class="tools">
        <h2 id="map-title">Physical memory</h2>
        <div class="group" role="group" aria-label="Layout">
          <button type="button" data-layout="hilbert" aria-pressed="true">Hilbert curve</button>
          <button type="button" data-layout="rows" aria-pressed="false">Rows</button>
        </div>
        <div class="group" role="group" aria-label="Colour">
          <button type="button" data-color="order" aria-pressed="true">Order</button>
          <button type="button" data-color="owner" aria-pressed="false">Owner</button>
        </div>
        <div class="group" role="group" aria-label="Zoom">
          <button type="button" id="in" aria-label="Zoom in">+</button>
          <button type="button" id="out" aria-label="Zoom out">−</button>
          <button type="button" id="all">All</button>
        </div>
        <span id="range" class="mono"></span>
      </div>
      <div class="split">
        <div id="stage" tabindex="0" role="application" aria-label="Map of memory. Arrow keys move, plus and minus zoom, 0 shows all." aria-describedby="where">
          <canvas id="map"></canvas><canvas id="mark"></canvas>
          <div id="tip" hidden></div>
        </div>
        <aside>
          <h3>Here</h3>
          <div id="where" aria-live="polite"><p class="dim">Point at the map, or move with the arrow keys. A click zooms in.</p></div>
          <h3>Key</h3>
          <ul id="key"></ul>
          <p class="dim" id="scale"></p>
        </aside>
      </div>
    </section>
    """#
}
