"""Listen to the music and write down its genre and mood: `beet genreclf`, and during import.

Wiring only, and light: every `beet` command imports this module.
"""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import mediafile
from beets import library, plugins, ui

from . import command_line, fields
from .defaults import DEFAULTS

if TYPE_CHECKING:
    import optparse

    from beets.dbcore.types import Type
    from beets.importer import ImportSession, ImportTask
    from beets.library import Item, Library

    from .importing import Importing
    from .options import Options

__all__ = ["GenreClfPlugin"]


class GenreClfPlugin(plugins.BeetsPlugin):
    """Defaults, fields, the command, the import hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.config.add(DEFAULTS)
        self._add_media_fields()
        self._asking_others = False
        # How to listen during an import; None for not at all.
        self._options: Options | None = None
        self._importing: Importing | None = None
        self._exit_status = 0
        self._revision = 0
        self.import_stages = [self._listen]
        self.template_fields = {**self.template_fields, **fields.template_fields()}
        self.album_template_fields = {
            **self.album_template_fields,
            **fields.template_fields(fields.ALBUM_PREFIX),
        }
        self.register_listener("pluginload", self._add_legacy_fields)
        self.register_listener("write", self._before_write)
        self.register_listener("import_begin", self._import_begins)
        self.register_listener("import_task_files", self._write_tags)
        self.register_listener("import", self._imported)

    @property
    def item_types(self) -> dict[str, Type[Any, Any]]:
        """Types of the fields that no other plugin declares: to beets, two declarations are an error."""
        labels = self._own_labels
        return self._undeclared("item_types", {**fields.item_types(labels), **fields.album_types(labels)})

    @property
    def album_types(self) -> dict[str, Type[Any, Any]]:
        """The same for albums."""
        return self._undeclared("album_types", fields.album_types(self._own_labels))

    def _undeclared(self, kind: str, types: dict[str, Type[Any, Any]]) -> dict[str, Type[Any, Any]]:
        if self._asking_others:  # another plugin looks around in the same way
            return {}
        self._asking_others = True
        try:
            others: set[str] = set()
            for plugin in plugins.find_plugins():
                if plugin is not self:
                    others |= set(getattr(plugin, kind, {}))
        finally:
            self._asking_others = False
        return {name: type_ for name, type_ in types.items() if name not in others}

    @cached_property
    def _own_labels(self) -> dict[str, tuple[str, ...]]:
        """Labels of the models that the user has chosen, by task."""
        options = {task: self.config[fields.model_field(task)] for task in fields.TASKS}
        chosen = {task: option for task, option in options.items() if option.get()}
        if not chosen:
            return {}
        from genrecore.labels import read_labels

        from .options import model_name

        return {task: read_labels(model_name(option)) for task, option in chosen.items()}

    def commands(self) -> list[ui.Subcommand]:
        command = command_line.command()
        command.func = self._command
        return [command]

    def _command(self, lib: Library, opts: optparse.Values, args: list[str]) -> None:
        from genrecore.errors import GenreCoreError

        from .journal import JournalError
        from .listening import open_journal
        from .options import Options
        from .tracks import Tracks

        options = Options.read(self.config, ui.should_write(opts.write), vars(opts))
        if opts.config:
            from .reading import in_force

            ui.print_("\n".join(in_force(self.config, fields.TASKS)))
            return
        if opts.report is not None or opts.show:
            self._look(lib, opts, args, options)
            return
        self._follow_changes(lib, options)
        journal = open_journal(lib)
        # All is put back: albums as well, be their tracks gone.
        of_albums = opts.albums or (opts.restore and not args)
        albums = [album.id for album in lib.albums(args) if album.id] if of_albums else []
        items = Tracks.of_albums(lib, albums) if opts.albums else Tracks.of_query(lib, args)
        if opts.failed:
            items = items.failed()
            albums = items.albums() if opts.albums else []
        try:
            if opts.restore:
                from .restore import restore

                self._exit_status = restore(lib, items, albums, options, journal, self._log)
            else:
                from .session import Session

                summary = Session(lib, options, journal, self._log).run(items, albums)
                self._exit_status = summary.exit_status
        except (GenreCoreError, JournalError) as error:
            self._log.error("{}", error)
            self._exit_status = 1
        finally:
            if journal is not None:
                journal.close()
        self._leave_later()

    def _look(self, lib: Library, opts: optparse.Values, args: list[str], options: Options) -> None:
        """`--report` and `--show`: what changes nothing."""
        from genrecore.errors import GenreCoreError

        from .journal import JournalError
        from .listening import open_journal
        from .portrait import report, show
        from .tracks import Tracks

        if opts.restore or opts.force or opts.reapply or opts.failed or opts.pretend:
            raise ui.UserError(  # type: ignore[attr-defined]  # newer versions of beets have it elsewhere
                "--report and --show change nothing, and go with no option that does"
            )
        journal = open_journal(lib)
        if opts.albums:
            items = Tracks.of_albums(lib, [album.id for album in lib.albums(args) if album.id])
        else:
            items = Tracks.of_query(lib, args)
        try:
            if opts.report is not None:
                self._exit_status = report(items, opts.report, options, journal, self._log)
            if opts.show:
                self._exit_status |= show(lib, items, options, self._log)
        except (GenreCoreError, JournalError) as error:
            self._log.error("{}", error)
            self._exit_status = 1
        finally:
            if journal is not None:
                journal.close()
        self._leave_later()

    def _leave_later(self) -> None:
        if self._exit_status:
            # Last of all listeners, so that playlists and servers are updated first.
            self.register_listener("cli_exit", self._leave)

    def _follow_changes(self, lib: Library, options: Options) -> None:
        if options.update_playlists:
            self._revision = lib.revision
            self.register_listener("cli_exit", self._update_playlists)

    def _update_playlists(self, lib: Library) -> None:
        if lib.revision != self._revision:
            from .playlists import update_playlists

            update_playlists(lib, self._log)

    def _leave(self, lib: Library) -> None:
        status, self._exit_status = self._exit_status, 0
        if status:
            lib._close()
            sys.exit(status)

    def _before_write(self, item: Item, path: bytes, tags: dict[str, Any]) -> None:
        from .tags import keep_unknown_mood, spell_mood

        keep_unknown_mood(item, path, tags)
        spell_mood(tags)

    def _import_begins(self, session: ImportSession) -> None:
        # A wrong option is told here, before the first file is touched.
        if self.config["auto"].get(bool):
            from .options import Options

            self._options = Options.read(self.config, ui.should_write())
            self._follow_changes(session.lib, self._options)

    def _listen(self, session: ImportSession, task: ImportTask) -> None:
        if self._options is None:
            return
        if self._importing is None:
            from .importing import Importing

            self._importing = Importing(session.lib, self._options, self._log)
        self._importing.listen(session, task)

    def _write_tags(self, session: ImportSession, task: ImportTask) -> None:
        if self._importing is not None:
            self._importing.write_tags(session, task)

    def _imported(self, lib: Library, paths: list[bytes]) -> None:
        if self._importing is not None:
            self._importing.close()
            self._importing = None
        self._options = None

    def _add_legacy_fields(self) -> None:
        from .queries import legacy_fields

        others = [plugin for plugin in plugins.find_plugins() if plugin is not self]
        for kind in ("template_fields", "album_template_fields"):
            known = {name for plugin in others for name in getattr(plugin, kind)}
            missing = {name: field for name, field in legacy_fields().items() if name not in known}
            setattr(self, kind, {**getattr(self, kind), **missing})

    def _add_media_fields(self) -> None:
        for name, field in fields.media_fields().items():
            # The class outlives the plugin object, and another plugin may have been first.
            if name in mediafile.MediaFile.fields():
                library.Item._media_fields.add(name)
            else:
                self.add_media_field(name, field)
