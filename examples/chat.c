/* SPDX-License-Identifier: MIT */
/* A chat over WebSockets. The goroutine of a client's connection reads what he says; another sends
 * him what all say, from a queue of his own: who does not read loses lines, and holds up nobody.
 *
 *     gort run examples/chat.c -- :8080        then open http://localhost:8080/?name=ada */
#include <gort.h>
#include <gort/http.h>
#include <gort/short.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char page[] =
    "<!doctype html><meta charset=utf-8><title>Chat</title><h1>Chat</h1><ul id=log></ul>"
    "<form id=form><input id=text autocomplete=off autofocus><button>Say</button></form><script>"
    "const ws = new WebSocket(`ws://${location.host}/ws${location.search}`);"
    "const show = t => log.append(Object.assign(document.createElement('li'), {textContent: t}));"
    "ws.onmessage = e => show(e.data);"
    "ws.onclose = () => show('The connection has ended.');"
    "form.onsubmit = e => { e.preventDefault(); ws.send(text.value); text.value = ''; };"
    "</script>\n";

enum { SEATS = 10000, LONGEST = 300 };
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static go_ctx *stop;
struct line {
    char text[LONGEST + 64];
};

struct client {
    int seat; /* under room.mu */
    go_ws *ws;
    chan(struct line) out;
};

static struct {
    go_mutex mu;
    struct client *client[SEATS];
    int count;
} room;

/* To everybody in the room; under its lock, so that all see the same order. */
static void say(const char *name, const char *what, int n)
{
    struct line l;
    snprintf(l.text, sizeof l.text, "%s%.*s", name, n, what);
    for (int i = 0; i < room.count; i++) {
        (void)chan_try_send(room.client[i]->out, l);
    }
}

static void enter(struct client *c, const char *name)
{
    guard(&room.mu);
    c->seat = room.count;
    room.client[room.count++] = c;
    say(name, " has come", LONGEST);
}

static void leave(struct client *c, const char *name)
{
    guard(&room.mu);
    struct client *last = room.client[--room.count];
    room.client[c->seat] = last;
    last->seat = c->seat;
    say(name, " has gone", LONGEST);
}

static void send_lines(struct client *c)
{
    struct line l;
    bool more = true;
    while (more) {
        switch (chan_select(recv(line, c->out, &l, &more), recv(over, ctx_done(stop)))) {
        case line:
            more = more && go_ws_write(c->ws, GO_WS_TEXT, l.text, strlen(l.text)) == 0;
            break;
        case over: /* then the reader sees the end, too */
            go_ws_close(c->ws, 1001, "the chat ends");
            return;
        }
    }
}

static void listen_to(struct client *c, const char *name)
{
    char text[LONGEST + 2] = ": ";
    int kind;
    ssize_t n = go_ws_read(c->ws, text + 2, LONGEST, &kind);
    while (n >= 0 && kind == GO_WS_TEXT) {
        with_lock(&room.mu) {
            say(name, text, (int)n + 2);
        }
        n = go_ws_read(c->ws, text + 2, LONGEST, &kind);
    }
}

static int chat(go_http_request *req, go_http_response *res, void *arg)
{
    const char *name = go_http_query_value(req, "name");
    go_waitgroup sending = { 0 };
    (void)arg;
    if (name == NULL || *name == '\0' || name[strspn(name, letters)] != '\0' || strlen(name) > 30) {
        return go_http_error(res, 400, "a name of at most thirty letters, please");
    }
    struct client c = { .ws = go_ws_upgrade(req, res) };
    if (c.ws == NULL) {
        return 0; /* it has been answered */
    }
    c.out = chan_make(struct line, 64);
    enter(&c, name);
    wg_go(&sending, send_lines, &c);
    listen_to(&c, name);
    leave(&c, name);
    chan_close(c.out); /* nobody can send to it any more */
    wg_wait(&sending);
    chan_free(c.out);
    return 0;
}

static int get_page(go_http_request *req, go_http_response *res, void *arg)
{
    (void)req, (void)arg;
    go_http_set_header(res, "Content-Type", "text/html; charset=utf-8");
    return go_http_printf(res, "%s", page);
}

int main(int argc, char **argv)
{
    go_listener *l;
    int error = go_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:8080", &l);
    if (error != 0) {
        fprintf(stderr, "chat: cannot listen: %s\n", strerror(-error));
        return 1;
    }
    go_http_mux *mux = go_http_mux_make();
    go_http_handle(mux, "GET /{$}", get_page, NULL);
    go_http_handle(mux, "GET /ws", chat, NULL);
    go_http_options options = { .max_body_bytes = LONGEST, .max_connections = SEATS };
    stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error = go_http_serve(stop, l, &options, mux);
    printf("%d are left\n", room.count);
    go_http_mux_free(mux);
    ctx_free(stop);
    return error != 0;
}
