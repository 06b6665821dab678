"""Smart playlists that follow what was heard.

The bundled smartplaylist plugin of beets 2.6.0 to 2.14.1 means to update by itself (``auto``), but never does: the
playlists that it compares changes with are only built by its command. So that command is what is run here. Tracks that
no longer match are dropped, but the last one of a playlist: smartplaylist writes no empty file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from beets import config, logging, plugins

if TYPE_CHECKING:
    from beets.library import Library
    from beets.logging import BeetsLogger

__all__ = ["update_playlists"]

_PLUGIN, _COMMAND = "smartplaylist", "splupdate"


def update_playlists(lib: Library, log: BeetsLogger) -> None:
    """Update all smart playlists, if that plugin is loaded and the user has not turned its ``auto`` off.

    Parameters
    ----------
    lib : Library
        The library.
    log : Logger
        The plugin's: told if it fails, the changes of the library are none the worse for it.
    """
    settings = config[_PLUGIN]
    for plugin in plugins.find_plugins():
        if plugin.name == _PLUGIN and settings["auto"]:
            # The command would take a relative folder to be in the present one, not in the configuration's.
            settings["playlist_dir"].set(settings["playlist_dir"].as_filename())
            level = plugin._log.level
            if not config["verbose"].get(int):  # as where beets calls a plugin of its own accord
                plugin._log.setLevel(logging.WARNING)
            try:
                for command in plugin.commands():
                    if command.name == _COMMAND:
                        options, arguments = command.parser.parse_args([])
                        command.func(lib, options, arguments)
            except Exception as error:  # another plugin's, which may raise anything
                log.warning("the smart playlists were not updated: {}", error)
            finally:
                plugin._log.setLevel(level)
