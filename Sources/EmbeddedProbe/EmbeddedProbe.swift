// EmbeddedProbe
