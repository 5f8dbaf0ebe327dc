# SPDX-License-Identifier: MIT
"""Goroutines in gdb, of live processes and of core files.

    info goroutines [COUNT | all]     number, state, where it stands, where it was made
    goroutine ID                      look at this goroutine from now on: bt, up, frame, info locals
    goroutine ID COMMAND              run one command as if it were the current one: goroutine 7 bt
    goroutine all COMMAND             the same for each goroutine
    goroutine off                     back to the thread; so does letting the program run

A goroutine that runs is shown through its thread. One that is parked has its registers saved on its
stack. They are not written into any thread, since that could not be done in a core file and would
be dangerous in a live process: instead an unwinder claims the innermost frame of the selected
thread while a goroutine is looked at, and says that its caller is the goroutine.

gdb loads it by itself: for programs of `gort build`, which name it, and with libgort.so below /usr.
Where it is installed elsewhere gdb says which line (add-auto-load-safe-path) allows that. `source`
does the same by hand. It needs the library's debug information.
"""
import re
import struct

import gdb
from gdb.unwinder import Unwinder

# arena.c: the top of a window. tests/unit/debug/gdb_test.c notices when this is no longer true.
COLOURS = 16
COLOUR_STEP = 128
GUARD_PAGES = 3
MAIN, FOREIGN, SYSTEM, SCHED = 1, 2, 4, 8
# Order of the callee-saved registers at a stopped stack's sp (switch.S), and the bytes they take.
SAVED = {
    "x86-64": (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 56, "rsp", "rip"),
    "aarch64": ([f"x{i}" for i in range(19, 31)], 160, "sp", "pc"),
}


ABSENT = "no goroutines here: is libgort linked, with debug information, and has it started?"


class NoGort(gdb.GdbError):
    pass


def number(value):
    """The number in an atomic, which is an integer or a structure around one."""
    kind = value.type.strip_typedefs()
    while kind.code == gdb.TYPE_CODE_STRUCT:
        value = value[kind.fields()[0]]
        kind = value.type.strip_typedefs()
    return int(value)


def variable(name):
    try:
        return gdb.parse_and_eval(name)
    except gdb.error as why:
        raise NoGort(f"{ABSENT} ({why})")


def static_of(function, name):
    """The static variable `name` of the file that defines `function`."""
    symbol = gdb.lookup_global_symbol(function)
    if symbol is None:
        raise NoGort(ABSENT)
    found = gdb.lookup_symbol(name, symbol.symtab.static_block())[0]
    if found is None:
        raise NoGort(f"this script does not fit the library: there is no {name} beside {function}")
    return found.value()


def text_of(value):
    """A string, given as a pointer that may be null or as an array."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and int(value) == 0:
        return ""
    try:
        return value.string(errors="replace")
    except gdb.error:
        return "?"


class Layout:
    """Where the fields of struct g and of a window lie."""

    def __init__(self):
        variable("goi_sched")
        self.g = gdb.lookup_type("struct g")
        self.offset = {f.name: f.bitpos // 8 for f in self.g.fields()}
        self.size = self.g.sizeof
        self.header = gdb.lookup_type("struct goi_stack").sizeof
        self.states = self.names("enum gstate", "GOI_G_")
        # A reason's text is in a table of the library, whose declaration need not tell its length.
        table = variable("goi_reason_names")
        count = max(self.names("enum wait_reason", "GOI_WAIT_")) # GOI_WAIT_REASONS
        self.reasons = [text_of(table[i]) for i in range(count)]
        self.desc = 512

    @staticmethod
    def names(enum, prefix):
        return {f.enumval: f.name[len(prefix):].lower() for f in gdb.lookup_type(enum).fields()}


class Goroutine:
    def __init__(self, layout, address, memory):
        def field(name, form):
            return struct.unpack_from("<" + form, memory, layout.offset[name])[0]
        self.address = address
        self.sp = field("regs", "Q")
        self.state = layout.states.get(field("state", "I"), "?")
        self.reason = field("reason", "B")
        self.flags = field("flags", "B")
        self.id = field("id", "Q")
        self.m = field("m", "Q")
        self.locked = field("locked_m", "Q") != 0 or (self.flags & FOREIGN) != 0
        self.parent = field("parent_id", "Q")
        self.created = field("created_pc", "Q")
        self.layout = layout

    def value(self):
        return gdb.Value(self.address).cast(self.layout.g.pointer()).dereference()

    def is_one(self):
        return self.state not in ("idle", "pending", "dead", "?") and self.flags & SCHED == 0

    def what(self):
        text = self.state
        if self.state == "waiting" and self.reason < len(self.layout.reasons):
            text = self.layout.reasons[self.reason]
        return text + (", locked to thread" if self.locked else "")

    def name(self):
        extra = self.value()["extra"]
        return text_of(extra["name"]) if int(extra) else ""

    def thread(self):
        """The thread it runs on; None when its stack is stopped, or the thread is gone."""
        on_thread = self.state == "running" or self.flags & FOREIGN
        if not on_thread or self.m == 0:
            return None
        tid = int(self.value()["m"]["tid"])
        for t in gdb.selected_inferior().threads():
            if t.ptid[1] == tid:
                return t
        return None


def list_of_threads(layout):
    """Main and the goroutines that stand for threads."""
    at = variable("goi_sched.foreign_list")
    while int(at) != 0:
        yield int(at)
        at = at["foreign_next"]


def windows(layout):
    """Descriptors at the tops of stack windows, in use or not."""
    table = static_of("goi_arena_init", "chunk_table")
    classes = variable("goi_stack_class")
    page = int(classes[0]["guard"]) // GUARD_PAGES # compilers do away with the variable itself
    for chunk in range(1, number(static_of("goi_arena_init", "chunk_used"))):
        h = table[chunk]
        base = number(h["xmap"])
        if base == 0 or number(h["xseq"]) % 2 != 0:
            continue
        stride = int(classes[number(h["xklass"])]["stride"])
        carved = number(h["xcarved"])
        cold = gdb.selected_inferior().read_memory(base, 8 * ((carved + 63) // 64)).tobytes()
        for i in range(carved):
            if cold[i // 8] >> (i % 8) & 1:
                continue
            colour = (chunk + i) % COLOURS * COLOUR_STEP
            yield base + page + (i + 1) * stride - colour - layout.header - layout.desc


def goroutines():
    """All of them, in the order of their numbers."""
    layout = Layout()
    found = []
    inferior = gdb.selected_inferior()
    for make in (list_of_threads, windows):
        for address in make(layout):
            try:
                memory = inferior.read_memory(address, layout.size).tobytes()
            except gdb.MemoryError:
                continue # not in the core file: never touched
            g = Goroutine(layout, address, memory)
            if g.is_one() and g.flags & SYSTEM == 0:
                found.append(g)
    return sorted(found, key=lambda g: g.id)


def architecture():
    name = gdb.selected_frame().architecture().name()
    for key, saved in SAVED.items():
        if key in name:
            return saved
    raise NoGort(f"goroutines on {name} are not known to this script")


# --- looking at a parked goroutine

class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class ParkedUnwinder(Unwinder):
    """Says of one frame, the innermost of one thread, that it was called by the goroutine."""

    def __init__(self):
        super().__init__("gort-parked")
        self.sp = None
        self.at = None

    def look(self, g):
        self.leave()
        names, size, sp_name, pc_name = architecture()
        frame = gdb.newest_frame()
        memory = gdb.selected_inferior().read_memory(g.sp, 8 * len(names)).tobytes()
        self.values = dict(zip(names, struct.unpack(f"<{len(names)}Q", memory)))
        if "x30" in self.values:
            self.values["pc"] = self.values["x30"]
        self.values[sp_name] = g.sp + size
        self.names = (sp_name, pc_name)
        self.at = (int(frame.read_register(sp_name)) & (1 << 64) - 1,
                   int(frame.read_register(pc_name)))
        self.sp = g.sp
        gdb.invalidate_cached_frames()

    def leave(self):
        if self.sp is not None:
            self.sp = None
            gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if self.sp is None:
            return None
        sp = pending.read_register(self.names[0])
        pc = pending.read_register(self.names[1])
        if (int(sp) & (1 << 64) - 1, int(pc)) != self.at:
            return None
        # An address below the goroutine's frames, for gdb wants callers above callees.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.sp - 16).cast(sp.type), pc))
        for name, value in self.values.items():
            kind = pending.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


class HideFirst:
    """A frame filter: the thread's own innermost frame is not the goroutine's."""

    def __init__(self):
        self.name = "gort-parked"
        self.priority = 1000
        self.enabled = False
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        for f in frames:
            if f.inferior_frame().level() > 0:
                yield f


looked_at = None                # the parked goroutine that is shown, or None
unwinder = ParkedUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
hide = HideFirst()


def look_at(g):
    """Selects the goroutine's innermost frame."""
    global looked_at
    leave()
    thread = g.thread()
    if thread is not None:
        thread.switch()
        gdb.newest_frame().select()
        return
    if g.state == "running" or g.flags & FOREIGN:
        raise gdb.GdbError(f"goroutine {g.id} runs on a thread that is not here")
    unwinder.look(g)
    hide.enabled = True
    frame = gdb.newest_frame().older()
    if frame is None:
        leave()
        raise gdb.GdbError(f"goroutine {g.id}: its stack cannot be read")
    frame.select()
    looked_at = g


def leave():
    global looked_at
    looked_at = None
    unwinder.leave()
    hide.enabled = False


gdb.events.cont.connect(lambda event: leave())


class Kept:
    """Comes back to the thread, the goroutine and the frame that were selected."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        self.level = gdb.selected_frame().level() if self.thread else 0
        self.goroutine = looked_at

    def __exit__(self, *why):
        leave()
        if self.thread is not None and self.thread.is_valid():
            self.thread.switch()
            if self.goroutine is not None:
                look_at(self.goroutine)
            frame = gdb.newest_frame()
            for _ in range(self.level):
                frame = frame.older()
            frame.select()
        return False


# --- where it stands

def library_sources():
    """"/path/src/", where the library was built; None: unknown."""
    symbol = gdb.lookup_global_symbol("goi_init")
    found = re.match("(.*/src/)sched/", symbol.symtab.fullname()) if symbol is not None else None
    return found.group(1) if found else None


def is_library(name, path, sources):
    if name is not None and re.match(r"go[ip]_|go_[a-z]", name):
        return True
    return path is not None and sources is not None and path.startswith(sources)


def describe(frame):
    sal = frame.find_sal()
    name = frame.name() or "?"
    if sal.symtab is None:
        return name
    return f"{name} at {sal.symtab.filename.rsplit('/', 1)[-1]}:{sal.line}"


def where(sources):
    """Of the goroutine that is looked at: the frame of the program that called the library, or the
    innermost one when it is not in the library."""
    frames = []
    frame = gdb.selected_frame()
    while frame is not None and len(frames) < 60:
        frames.append(frame)
        frame = frame.older()
    inside = []
    for f in frames:
        sal = f.find_sal()
        inside.append(is_library(f.name(), sal.symtab.fullname() if sal.symtab else None, sources))
    while len(inside) > 1 and inside[-1]:
        inside.pop() # how a goroutine begins
    last = max((i for i, x in enumerate(inside) if x), default=-1)
    return describe(frames[min(last + 1, len(inside) - 1)])


def made_at(g, sources):
    if g.created == 0:
        return ""
    try:
        block = gdb.block_for_pc(g.created - 1)
    except RuntimeError:
        block = None
    while block is not None:
        sal = gdb.find_pc_line(g.created - 1)
        path = sal.symtab.fullname() if sal.symtab else None
        if block.function is not None and not is_library(block.function.name, path, sources):
            return f"by {block.function.name} at {text_of(g.value()['site']).rsplit('/', 1)[-1]}"
        block = block.superblock
    return f"at {text_of(g.value()['site']).rsplit('/', 1)[-1]}"


# --- commands

class InfoGoroutines(gdb.Command):
    """List goroutines: number, state, where each stands, where it was made.
Usage: info goroutines [COUNT | all]
The first 200 are shown unless told otherwise. A star marks the one that the selected thread
runs."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        everything = goroutines()
        most = len(everything) if arg == "all" else int(arg) if arg else 200
        sources = library_sources()
        with Kept() as _:
            selected = gdb.selected_thread()
            mine = selected.ptid[1] if selected else None
            for g in everything[:most]:
                self.show(g, sources, mine)
        if most < len(everything):
            print(f"... and {len(everything) - most} more; `info goroutines all` shows all")

    @staticmethod
    def show(g, sources, mine):
        thread = g.thread()
        star = "*" if thread is not None and thread.ptid[1] == mine else " "
        try:
            look_at(g)
            place = where(sources)
        except gdb.error as why:
            place = f"({why})"
        name = g.name()
        parts = [f"{star}{g.id:5} [{g.what()}]", place, made_at(g, sources)]
        print("  ".join(p for p in parts if p) + (f'  "{name}"' if name else ""))


class OneGoroutine(gdb.Command):
    """Look at a goroutine, or run a command in it.
Usage: goroutine ID | goroutine ID COMMAND | goroutine all COMMAND | goroutine off"""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        words = arg.split(None, 1)
        if not words:
            raise gdb.GdbError("goroutine ID [COMMAND], goroutine all COMMAND, goroutine off")
        if words[0] == "off":
            leave()
            gdb.execute("frame 0", from_tty)
            return
        everything = goroutines()
        chosen = everything if words[0] == "all" else [g for g in everything
                                                       if str(g.id) == words[0]]
        if not chosen:
            raise gdb.GdbError(f"there is no goroutine {words[0]}")
        if len(words) == 1 and words[0] != "all":
            look_at(chosen[0])
            gdb.execute("frame", from_tty)
            return
        if len(words) == 1:
            raise gdb.GdbError("goroutine all COMMAND")
        with Kept() as _:
            for g in chosen:
                if words[0] == "all":
                    print(f"\ngoroutine {g.id} [{g.what()}]:")
                self.run(g, words[1], from_tty, words[0] == "all")

    @staticmethod
    def run(g, command, from_tty, go_on):
        try:
            look_at(g)
            gdb.execute(command, from_tty)
        except gdb.error as why:
            if not go_on:
                raise gdb.GdbError(str(why))
            print(why)


InfoGoroutines()
OneGoroutine()
