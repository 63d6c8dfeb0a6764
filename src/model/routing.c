/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Routes and sprints from options, and who takes part in them.
 */
#include "model/routing.h"

#include "base/error.h"
#include "text/number.h"

#include <string.h>

/* ---- from options ---- */

static void add_route(struct mdm_routing *r, struct mdm_route route)
{
    if (route.last >= route.first) /* a route over no block changes nothing */
        r->route[r->count++] = route;
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
        add_route(r, route);
    }
    return MASKDM_OK;
}

static int read_routes(struct mdm_routing *r, const maskdm_options *o, int64_t depth,
                       const struct mdm_routing_told *told, int mirrored)
{
    const int64_t from = told->route_from, behind = mirrored ? from : told->route_behind;

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
    add_route(r, (struct mdm_route){from, depth - behind - 1, told->route_ratio});
    return MASKDM_OK;
}

/* ---- a sprint ---- */

/* Of which squares how many are taken, so that the share `ratio` is not: the smaller where either does. */
static int find_square(struct mdm_routing *r, const maskdm_options *o, double ratio)
{
    for (r->side = 2; r->side <= 4; r->side *= 2) {
        const double taken = (double)(r->side * r->side) * (1 - ratio);

        r->taken = (int64_t)taken;
        if ((double)r->taken == taken)
            return MASKDM_OK;
    }
    return mdm_fail(MASKDM_EINVAL,
                    "%s %g leaves no whole number of every 4x4 patches; 0.75, 0.5, 0.625 and 0.875 do, and %s random",
                    mdm_options_said(o, "sprint_drop"), ratio, mdm_options_said(o, "sprint_subset"));
}

static int check_squares(struct mdm_routing *r, const maskdm_options *o, double ratio)
{
    MDM_TRY(find_square(r, o, ratio));
    if (r->rows % r->side || r->columns % r->side)
        return mdm_fail(MASKDM_EINVAL,
                        "%s %g takes %lld of every %lldx%lld patches, and %lldx%lld are no such squares; %s random",
                        mdm_options_said(o, "sprint_drop"), ratio, (long long)r->taken, (long long)r->side,
                        (long long)r->side, (long long)r->rows, (long long)r->columns,
                        mdm_options_said(o, "sprint_subset"));
    return MASKDM_OK;
}

static struct mdm_routing routing_of(const struct mdm_geometry *g)
{
    return (struct mdm_routing){.subset = MDM_SUBSET_RANDOM, .rows = g->rows, .columns = g->columns};
}

int mdm_routing_read_sprint(struct mdm_routing *r, const maskdm_options *o, const struct mdm_geometry *g,
                            int64_t before, int64_t deep, const struct mdm_routing_told *told)
{
    *r = routing_of(g);
    if (told->sprint_drop >= 1)
        return mdm_fail(MASKDM_EINVAL, "%s %g is not below 1", mdm_options_said(o, "sprint_drop"), told->sprint_drop);
    r->sprint = 1;
    r->trains_filler = told->train_filler;
    r->path_drop = told->path_drop;
    r->subset = told->sprint_subset;
    add_route(r, (struct mdm_route){before, before + deep - 1, told->sprint_drop});
    return told->sprint_drop > 0 && r->subset == MDM_SUBSET_GRID ? check_squares(r, o, told->sprint_drop) : MASKDM_OK;
}

int mdm_routing_read(struct mdm_routing *r, const maskdm_options *o, const struct mdm_geometry *g, int64_t depth,
                     const struct mdm_routing_told *told, int mirrored)
{
    *r = routing_of(g);
    MDM_TRY(read_routes(r, o, depth, told, mirrored));
    if (!told->sprint)
        return MASKDM_OK;
    if (r->count || told->route_ratio > 0)
        return mdm_fail(MASKDM_EINVAL, "%s and %s are two ways past blocks; one of them",
                        mdm_options_said(o, "sprint"),
                        mdm_options_said(o, told->route_ratio > 0 ? "route_ratio" : "routes"));
    if (2 * told->sprint >= depth)
        return mdm_fail(MASKDM_EINVAL, "%s %lld before and behind leave no deep block of %lld",
                        mdm_options_said(o, "sprint"), (long long)told->sprint, (long long)depth);
    return mdm_routing_read_sprint(r, o, g, told->sprint, depth - 2 * told->sprint, told);
}

/* ---- who takes part ---- */

static int64_t count_routed(double ratio, int64_t visible)
{
    const int64_t passing = (int64_t)((double)visible * ratio);

    return passing ? visible - passing : 0;
}

/* The same of a sprint, whose authors round what takes part. */
static int count_taken(const struct mdm_routing *r, const maskdm_options *o, int64_t visible, int64_t *taken)
{
    const double ratio = r->route[0].ratio;

    *taken = 0;
    if (ratio <= 0)
        return MASKDM_OK;
    if (r->subset == MDM_SUBSET_GRID && visible != r->rows * r->columns)
        return mdm_fail(
            MASKDM_EINVAL,
            "%s grid takes %lld of every %lldx%lld patches, but of %lld a mask leaves %lld; %s random, or no "
            "mask",
            mdm_options_said(o, "sprint_subset"), (long long)r->taken, (long long)r->side, (long long)r->side,
            (long long)(r->rows * r->columns), (long long)visible, mdm_options_said(o, "sprint_subset"));
    *taken = r->subset == MDM_SUBSET_GRID ? visible / (r->side * r->side) * r->taken
                                          : (int64_t)((double)visible * (1 - ratio));
    if (!*taken)
        return mdm_fail(MASKDM_EINVAL, "%s %g leaves none of %lld visible patches to the deep blocks",
                        mdm_options_said(o, "sprint_drop"), ratio, (long long)visible);
    if (*taken == visible)
        *taken = 0;
    return MASKDM_OK;
}

int mdm_routing_pass(const struct mdm_routing *r, const maskdm_options *o, double ratio, struct mdm_extent *e)
{
    if (r->sprint)
        return count_taken(r, o, e->visible, &e->routed[0]);
    for (int i = 0; i < r->count; i++)
        e->routed[i] = count_routed(ratio > 0 ? ratio : r->route[i].ratio, e->visible);
    return MASKDM_OK;
}

/* Of every square of patches as many, and all of an image rising. Rows of squares are drawn once for each of their
 * rows of patches, from where the stream stood before them. */
static void choose_of_squares(const struct mdm_routing *r, struct mdm_rng *stream, int32_t *keep)
{
    int32_t chosen[16]; /* of at most 4 x 4 */

    for (int64_t top = 0; top < r->rows; top += r->side) {
        const struct mdm_rng before = *stream;

        for (int64_t row = 0; row < r->side; row++) {
            *stream = before;
            for (int64_t left = 0; left < r->columns; left += r->side) {
                mdm_rng_choose(stream, chosen, r->taken, r->side * r->side);
                for (int64_t k = 0; k < r->taken; k++)
                    if (chosen[k] / r->side == row)
                        *keep++ = (int32_t)((top + row) * r->columns + left + chosen[k] % r->side);
            }
        }
    }
}

void mdm_routing_draw(const struct mdm_routing *r, const struct mdm_extent *e, struct mdm_rng *stream, int64_t i,
                      int32_t *keep)
{
    for (int k = 0; k < MDM_MOST_ROUTES; k++) {
        const int64_t routed = e->routed[k];

        if (routed && r->subset == MDM_SUBSET_GRID)
            choose_of_squares(r, stream, keep + i * routed);
        else if (routed)
            mdm_rng_choose(stream, keep + i * routed, routed, e->visible);
        keep += e->batch * routed;
    }
}
