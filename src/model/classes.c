/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Classes by their names, then by their numbers.
 */
#include "model/classes.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

static int by_name(const void *user, int64_t a, int64_t b)
{
    const struct mdm_labels *l = user;
    const int order = strcmp(l->name[a], l->name[b]);

    return order ? order : a < b ? -1 : a > b;
}

/* The first label of that name among those in order, or -1. */
static int64_t find(const struct mdm_labels *l, const int64_t *order, const char *name)
{
    int64_t low = 0, high = l->count;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;

        if (strcmp(l->name[order[middle]], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->count && !strcmp(l->name[order[low]], name) ? order[low] : -1;
}

/* Names in order, and which of `taken` classes some name claims. */
struct claims {
    const struct mdm_labels *before;
    int64_t *order;
    char *claimed;
};

static void end(struct claims *c)
{
    mdm_free(c->order);
    mdm_free(c->claimed);
}

static int begin(struct claims *c, const struct mdm_labels *before, int64_t taken)
{
    *c = (struct claims){.before = before};
    c->order = mdm_need((size_t)before->count + 1, sizeof *c->order, "classes in order");
    c->claimed = c->order ? mdm_need((size_t)taken + 1, 1, "classes in order") : NULL;
    if (!c->claimed) {
        end(c);
        return MASKDM_ENOMEM;
    }
    mdm_sort_all(c->order, before->count, by_name, before);
    return MASKDM_OK;
}

static int64_t claim(struct claims *c, const char *name)
{
    const int64_t at = find(c->before, c->order, name);

    if (at >= 0)
        c->claimed[at] = 1;
    return at;
}

int mdm_classes_map(int64_t *from, const struct mdm_labels *now, int64_t made, const struct mdm_labels *before,
                    int64_t taken)
{
    struct claims c;

    MDM_TRY(begin(&c, before, taken));
    for (int64_t i = 0; i < made; i++)
        from[i] = i < now->count ? claim(&c, now->name[i]) : -1;
    for (int64_t i = 0; i < made; i++)
        if (from[i] < 0 && i < taken && !c.claimed[i])
            from[i] = i;
    end(&c);
    return MASKDM_OK;
}

int mdm_classes_names(struct mdm_labels *out, const struct mdm_labels *first, int64_t made,
                      const struct mdm_labels *before)
{
    const int64_t leading = first->count < made ? first->count : made;
    const int64_t count = before->count < leading ? leading : before->count < made ? before->count : made;
    const char **name = mdm_need((size_t)count + 1, sizeof *name, "the names of labels");
    int64_t spare = 0;
    struct claims c;
    int status = name ? begin(&c, before, before->count) : MASKDM_ENOMEM;

    for (int64_t i = 0; i < leading && status == MASKDM_OK; i++) {
        name[i] = first->name[i];
        (void)claim(&c, name[i]);
    }
    for (int64_t i = leading; i < count && status == MASKDM_OK; i++) {
        while (c.claimed[i] && c.claimed[spare])
            spare++;
        name[i] = before->name[c.claimed[i] ? spare++ : i];
    }
    if (status == MASKDM_OK) {
        status = mdm_labels_set(out, name, count, made);
        end(&c);
    }
    mdm_free(name);
    return status;
}
