/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Routes from options, who takes part in them, and their two ends in a network's list of blocks.
 */
#include "model/routing.h"

#include "base/error.h"
#include "ops/ops.h"
#include "text/number.h"

#include <string.h>

/* ---- from options ---- */

static int add_route(struct mdm_routing *r, struct mdm_route route)
{
    if (route.last >= route.first) /* a route over no block changes nothing */
        r->route[r->count++] = route;
    return MASKDM_OK;
}

/* The piece of a text up to `mark` or its end, into `to`; *text goes behind it. 0 where it does not fit or the mark
 * is missing and `needed`. */
static int take_piece(char *to, size_t size, const char **text, char mark, int needed)
{
    const char *end = strchr(*text, mark);
    const size_t n = end ? (size_t)(end - *text) : strlen(*text);

    if (n >= size || (!end && needed))
        return 0;
    memcpy(to, *text, n);
    to[n] = '\0';
    *text += n + (end != NULL);
    return 1;
}

/* FIRST-LAST:RATIO */
static int parse_route(struct mdm_route *out, const char **text)
{
    char first[24], last[24], ratio[40];

    return take_piece(first, sizeof first, text, '-', 1) && take_piece(last, sizeof last, text, ':', 1) &&
           take_piece(ratio, sizeof ratio, text, ',', 0) && !mdm_parse_i64(first, &out->first) &&
           !mdm_parse_i64(last, &out->last) && !mdm_parse_double(ratio, &out->ratio);
}

static int read_list(struct mdm_routing *r, const char *said, const char *text, int64_t depth)
{
    const char *rest = text;
    int64_t free = 0; /* the first block behind the last route */

    for (int n = 0; *rest; n++) {
        struct mdm_route route;

        if (n == MDM_MOST_ROUTES)
            return mdm_fail(MASKDM_EINVAL, "%s %s is more than %d routes", said, text, MDM_MOST_ROUTES);
        if (!parse_route(&route, &rest))
            return mdm_fail(MASKDM_EINVAL, "%s %s is no list of FIRST-LAST:RATIO, as in 2-5:0.5,7-9:0.25", said,
                            text);
        if (!(route.ratio >= 0 && route.ratio < 1))
            return mdm_fail(MASKDM_EINVAL, "%s %s: %g is no share from 0 to below 1", said, text, route.ratio);
        if (route.first < free || route.last < route.first - 1 || route.last >= depth)
            return mdm_fail(MASKDM_EINVAL,
                            "%s %s: blocks %lld to %lld are not among blocks %lld to %lld, which are left of %lld",
                            said, text, (long long)route.first, (long long)route.last, (long long)free,
                            (long long)depth - 1, (long long)depth);
        free = route.last + 1;
        MDM_TRY(add_route(r, route));
    }
    return MASKDM_OK;
}

int mdm_routing_read(struct mdm_routing *r, const maskdm_options *o, int64_t depth,
                     const struct mdm_routing_told *told)
{
    const int64_t from = told->route_from, behind = told->route_behind;

    *r = (struct mdm_routing){0};
    if (told->route_ratio >= 1)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below 1", mdm_options_said(o, "route_ratio"), told->route_ratio);
    if (told->routes && *told->routes && told->route_ratio > 0)
        return mdm_fail(MASKDM_EINVAL, "%s %g and %s %s both say what is routed; one of them",
                        mdm_options_said(o, "route_ratio"), told->route_ratio, mdm_options_said(o, "routes"),
                        told->routes);
    if (told->routes)
        MDM_TRY(read_list(r, mdm_options_said(o, "routes"), told->routes, depth));
    if (told->route_ratio <= 0)
        return MASKDM_OK;
    if (from + behind > depth)
        return mdm_fail(MASKDM_EINVAL, "%s %lld leaves no block to route among %lld, of which %lld stand behind",
                        mdm_options_said(o, "route_from"), (long long)from, (long long)depth, (long long)behind);
    return add_route(r, (struct mdm_route){from, depth - behind - 1, told->route_ratio});
}

/* ---- who takes part ---- */

static int64_t count_routed(double ratio, int64_t visible)
{
    const int64_t passing = (int64_t)((double)visible * ratio);

    return passing ? visible - passing : 0;
}

void mdm_routing_pass(const struct mdm_routing *r, double ratio, struct mdm_extent *e)
{
    for (int i = 0; i < r->count; i++)
        e->routed[i] = count_routed(ratio > 0 ? ratio : r->route[i].ratio, e->visible);
}

void mdm_routing_draw(const struct mdm_extent *e, struct mdm_rng *stream, int64_t i, int32_t *keep)
{
    for (int k = 0; k < MDM_MOST_ROUTES; k++) {
        if (e->routed[k])
            mdm_rng_choose(stream, keep + i * e->routed[k], e->routed[k], e->visible);
        keep += e->batch * e->routed[k];
    }
}

/* ---- recording ---- */

void mdm_routing_ports(struct mdm_graph *g, struct mdm_ports *ports, const struct mdm_extent *e)
{
    for (int i = 0; i < MDM_MOST_ROUTES; i++)
        if (e->routed[i])
            ports->keep[i] = mdm_graph_input(g, MDM_I32, mdm_shape2(e->batch, e->routed[i]));
}

struct mdm_passage mdm_passage_make(const struct mdm_routing *routing, const struct mdm_ports *in)
{
    return (struct mdm_passage){.routing = routing, .in = in, .route = -1, .whole = MDM_NONE, .keep = MDM_NONE};
}

/* The route that begins at a block and that somebody passes by, or -1. */
static int find_route(const struct mdm_passage *p, int64_t block)
{
    for (int i = 0; i < p->routing->count; i++)
        if (p->routing->route[i].first == block && p->in->keep[i] != MDM_NONE)
            return i;
    return -1;
}

int mdm_passage_begins(const struct mdm_passage *p, int64_t block)
{
    return find_route(p, block) >= 0;
}

int mdm_passage_ends(const struct mdm_passage *p, int64_t block)
{
    return p->route >= 0 && p->routing->route[p->route].last == block;
}

mdm_val mdm_passage_enter(struct mdm_graph *g, struct mdm_passage *p, int64_t block, mdm_val x, int64_t extras)
{
    p->route = find_route(p, block);
    p->keep = p->in->keep[p->route];
    p->whole = x;
    return mdm_route(g, x, p->keep, extras);
}

mdm_val mdm_passage_leave(struct mdm_graph *g, struct mdm_passage *p, mdm_val x, int64_t extras)
{
    x = mdm_unroute(g, p->whole, x, p->keep, extras);
    p->route = -1;
    p->whole = p->keep = MDM_NONE;
    return x;
}
