"""The networks that vendors send their webhooks from, as they publish them."""
