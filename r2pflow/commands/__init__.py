"""The commands of `r2pflow`, a file per family; `cli` loads a file when its command is called."""
