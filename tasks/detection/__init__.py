"""How an API pages, told by what it answers: candidates, each with its evidence, and a proof."""
