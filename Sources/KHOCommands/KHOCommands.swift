// KHOCommands
