/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tensors that a conversion leaves out, in groups: each is of the first kind that it fits, or goes under the
 * first part of its path.
 */
#include "run/convert_rest.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <string.h>

enum { SHOWN = 3, MOST_LINES = 16, NAME_LENGTH = 512 };

struct rest {
    const struct mdm_tensorfile *s;
    const struct mdm_places *places;
    const unsigned char *mark;
    const struct mdm_log *log;
};

/* Names of one group, of which the first few are kept. */
struct group {
    int64_t count;
    const char *name[SHOWN];
};

static void mark_place(unsigned char *mark, const struct mdm_tensorfile *s, const struct mdm_place *place,
                       const struct mdm_params *layout, enum mdm_mark as)
{
    char name[NAME_LENGTH];

    for (int k = 0; k < layout->count; k++) {
        int64_t at;

        mdm_format(name, sizeof name, "%s%s", place->prefix, layout->list[k].name);
        at = mdm_tensorfile_find(s, name);
        if (at >= 0)
            mark[at] = (unsigned char)as;
    }
}

int mdm_convert_mark(unsigned char **mark, const struct mdm_tensorfile *s, const struct mdm_places *p,
                     const struct mdm_params *layout)
{
    *mark = mdm_need((size_t)s->count, 1, "marks of tensors");
    if (!*mark)
        return MASKDM_ENOMEM;
    for (int k = 0; k < p->count; k++)
        mark_place(*mark, s, &p->all[k], layout,
                   &p->all[k] == p->average || &p->all[k] == p->online ? MDM_MARK_USED : MDM_MARK_COPY);
    return MASKDM_OK;
}

static const char *after(const char *name, const char *prefix)
{
    const size_t n = strlen(prefix);

    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

/* ---- kinds ---- */

static int is_copy(const struct rest *r, int64_t i)
{
    return r->mark[i] == MDM_MARK_COPY;
}

/* The buffers beside a network that its diffusion makes of the betas. */
static int is_schedule(const struct rest *r, int64_t i)
{
    const struct mdm_tensorfile_tensor *t = &r->s->tensor[i];
    static const char *const begin[] = {"betas",      "alphas",         "sqrt_",          "log_",
                                        "posterior_", "loss_weight",    "p2_loss_weight", "snr"};
    char around[MDM_PLACE_PREFIX + 1];

    for (int k = 0; k < r->places->count && t->rank <= 1; k++) {
        const char *name;

        mdm_convert_around(around, &r->places->all[k]);
        name = after(t->name, around);
        for (size_t b = 0; name && !strchr(name, '.') && b < MDM_LENGTH(begin); b++)
            if (after(name, begin[b]))
                return 1;
    }
    return 0;
}

static int is_counter(const struct rest *r, int64_t i)
{
    static const char *const names[] = {"initted", "step", "num_updates", "decay", "n_averaged"};
    const struct mdm_tensorfile_tensor *t = &r->s->tensor[i];

    for (size_t k = 0; k < MDM_LENGTH(names); k++)
        if (t->elements == 1 && !strcmp(last_part(t->name), names[k]))
            return 1;
    return 0;
}

static int is_optimizer(const struct rest *r, int64_t i)
{
    static const char *const words[] = {"opt", "scaler", "lr_sched"};
    const char *name = r->s->tensor[i].name;

    for (size_t k = 0; k < MDM_LENGTH(words); k++) {
        const char *at = strstr(name, words[k]);

        if (at && (size_t)(at - name) < strcspn(name, "."))
            return 1;
    }
    return 0;
}

static const struct kind {
    const char *what;
    int (*is)(const struct rest *r, int64_t i);
} kinds[] = {{"the optimizer's", is_optimizer},
             {"another copy of the weights", is_copy},
             {"of noise schedules, which follow from the betas", is_schedule},
             {"counters", is_counter}};
enum { LEFT_OVER = MDM_LENGTH(kinds), USED };

static int kind_of(const struct rest *r, int64_t i)
{
    int k = 0;

    if (r->mark[i] == MDM_MARK_USED)
        return USED;
    while (k < LEFT_OVER && !kinds[k].is(r, i))
        k++;
    return k;
}

/* ---- telling ---- */

static void add(struct group *g, const char *name)
{
    if (g->count < SHOWN)
        g->name[g->count] = name;
    g->count++;
}

static void add_all(struct group *to, const struct group *g)
{
    for (int64_t k = 0; k < g->count && to->count + k < SHOWN; k++)
        to->name[to->count + k] = g->name[k];
    to->count += g->count;
}

static void tell(const struct rest *r, int level, const struct group *g, const char *what)
{
    struct mdm_text t = {0};

    for (int64_t k = 0; k < g->count && k < SHOWN; k++)
        mdm_text_addf(&t, "%s%.80s", k ? ", " : "", g->name[k]);
    if (mdm_text_ok(&t) == MASKDM_OK)
        mdm_log_line(r->log, level, "not used: %lld tensor%s, %s (%s%s)", (long long)g->count,
                     g->count == 1 ? "" : "s", what, t.data, g->count > SHOWN ? ", ..." : "");
    mdm_text_free(&t);
}

/* By name, those under one first part stand together. */
static void tell_left_over(const struct rest *r)
{
    struct group g = {0}, more = {0};
    int lines = 0;

    for (int64_t k = 0; k <= r->s->count; k++) {
        const int64_t i = k < r->s->count ? r->s->by_name[k] : -1;
        const char *name = i >= 0 ? r->s->tensor[i].name : "";
        const size_t n = g.count ? strcspn(g.name[0], ".") + 1 : 0;

        if (g.count && (i < 0 || strncmp(g.name[0], name, n) != 0)) {
            if (lines++ < MOST_LINES)
                tell(r, MASKDM_LOG_WARN, &g, "which the network has not");
            else
                add_all(&more, &g);
            g = (struct group){0};
        }
        if (i >= 0 && kind_of(r, i) == LEFT_OVER)
            add(&g, name);
    }
    if (more.count)
        tell(r, MASKDM_LOG_WARN, &more, "which the network has not, elsewhere");
}

void mdm_convert_tell_rest(const struct mdm_tensorfile *s, const struct mdm_places *p, const unsigned char *mark,
                           const struct mdm_log *log)
{
    const struct rest r = {s, p, mark, log};
    struct group group[USED + 1] = {0};

    for (int64_t i = 0; i < s->count; i++)
        add(&group[kind_of(&r, i)], s->tensor[i].name);
    for (int k = 0; k < LEFT_OVER; k++)
        if (group[k].count)
            tell(&r, MASKDM_LOG_INFO, &group[k], kinds[k].what);
    if (group[LEFT_OVER].count)
        tell_left_over(&r);
}

/* "model.model" of a prefix. */
static const char *show(char out[MDM_PLACE_PREFIX + 1], const struct mdm_place *place)
{
    const size_t n = strlen(place->prefix);

    mdm_format(out, MDM_PLACE_PREFIX + 1, "%.*s", n ? (int)n - 1 : 1, n ? place->prefix : ".");
    return out;
}

void mdm_convert_tell_weights(const struct mdm_tensorfile *s, const struct mdm_places *p, const unsigned char *mark,
                              const struct mdm_log *log)
{
    const char *step = mdm_tensorfile_meta(s, "step");
    char average[MDM_PLACE_PREFIX + 1], online[MDM_PLACE_PREFIX + 1], when[64] = "";

    if (step)
        mdm_format(when, sizeof when, ", of step %.20s", step);
    if (p->average && p->online)
        mdm_log_line(log, MASKDM_LOG_INFO, "weights: EMA from \"%s\", online from \"%s\"%s",
                     show(average, p->average), show(online, p->online), when);
    else
        mdm_log_line(log, MASKDM_LOG_INFO, "weights: %s from \"%s\", %s%s", p->average ? "EMA" : "online",
                     show(online, mdm_convert_main(p)), p->average ? "no online ones" : "no EMA", when);
    mdm_convert_tell_rest(s, p, mark, log);
}
