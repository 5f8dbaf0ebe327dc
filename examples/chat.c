/* SPDX-License-Identifier: MIT */
/* A chat over WebSockets: a goroutine for each client, which reads what he says, and one for the
 * room, which alone knows who is there and sends each line to all: they all see the same order. Who
 * has let lie so many lines that the kernel takes no more for him is put out after half a second.
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

struct client {
    go_ws *ws;
    int seat;             /* the room's */
    go_waitgroup staying; /* until the room has forgotten him */
};

struct event {
    enum { COMES, SAYS, GOES } kind;
    struct client *client;
    char text[LONGEST + 64];
};
static chan(struct event) events;

/* Until no more events can come. Says how many are left then. */
static void room(int *left)
{
    static struct client *here[SEATS];
    int count = 0;
    chan_for(e, events) {
        if (e.kind == COMES) {
            e.client->seat = count;
            here[count++] = e.client;
        } else if (e.kind == GOES) {
            struct client *last = here[--count];
            here[e.client->seat] = last;
            last->seat = e.client->seat;
        }
        for (int i = 0; i < count; i++) {
            /* Where that fails the connection is at its end, and its reader knows it. */
            (void)go_ws_write(here[i]->ws, GO_WS_TEXT, e.text, strlen(e.text));
        }
        if (e.kind == GOES) {
            wg_done(&e.client->staying);
        }
    }
    *left = count;
}

static void tell(struct client *c, int kind, const char *name, const char *what, int n)
{
    struct event e = { .kind = kind, .client = c };
    snprintf(e.text, sizeof e.text, "%s%.*s", name, n, what);
    chan_send(events, e);
}

static int chat(go_http_request *req, go_http_response *res, void *arg)
{
    const char *name = go_http_query_value(req, "name");
    char text[LONGEST + 2] = ": ";
    int kind;
    (void)arg;
    if (name == NULL || *name == '\0' || name[strspn(name, letters)] != '\0' || strlen(name) > 30) {
        return go_http_error(res, 400, "a name of at most thirty letters, please");
    }
    struct client c = { .ws = go_ws_upgrade(req, res) };
    if (c.ws == NULL) {
        return 0; /* it has been answered */
    }
    wg_add(&c.staying, 1);
    tell(&c, COMES, name, " has come", LONGEST);
    ssize_t n = go_ws_read(c.ws, text + 2, LONGEST, &kind);
    while (n >= 0 && kind == GO_WS_TEXT) {
        tell(&c, SAYS, name, text, (int)n + 2);
        n = go_ws_read(c.ws, text + 2, LONGEST, &kind);
    }
    tell(&c, GOES, name, " has gone", LONGEST);
    wg_wait(&c.staying);
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
    go_http_options options = { .max_body_bytes = LONGEST, .max_connections = SEATS,
                                .write_timeout = GO_SEC / 2 };
    go_ctx *stop = go_signal_ctx(ctx_background(), SIGINT, SIGTERM);
    go_waitgroup rooms = { 0 };
    int left;
    events = chan_make(struct event, 64);
    wg_go(&rooms, room, &left);
    printf("listening on %s\n", listener_addr(l));
    fflush(stdout);
    error = go_http_serve(stop, l, &options, mux);
    chan_close(events);
    wg_wait(&rooms);
    printf("%d are left\n", left);
    chan_free(events);
    go_http_mux_free(mux);
    ctx_free(stop);
    return error != 0;
}
