"""Pages and pictures of what was heard: a song's timeline, a library's portrait. Needs the extra ``report``."""
