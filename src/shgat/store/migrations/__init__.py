"""The migrations, one file a revision, found as package data. A migration never imports `schema`: it is frozen in its time."""
