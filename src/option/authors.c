/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the authors' configurations: what is in one is found in the list of entries, and then taken.
 */
#include "option/authors.h"

#include "base/alloc.h"
#include "option/option_set.h"
#include "text/nearest.h"
#include "text/yaml.h"

#include <string.h>

/* What their program does, whatever its configuration says, and where it says nothing. */
static const struct {
    const char *option, *value;
} always[] = {{"network", "uvit"},   {"process", "discrete"}, {"prediction", "noise"},
              {"timesteps", "1000"}, {"eps", "1e-8"},         {"clip_norm", "1"},
              {"warmup_steps", "0"}, {"ema_start", "100"},    {"ema_power", "0.6666666666666666"},
              {"ema_inv_gamma", "1"}};

/* Behind the last dot. */
static const char *last_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot + 1 : path;
}

/* The one of this name in another place, or that of the fewest wrong letters. */
static const char *nearest_of(const char *path)
{
    const struct mdm_authors_entry *e;
    const char *nearest = NULL;
    int best = mdm_word_errors(path) + 1;

    for (int i = 0; (e = mdm_authors_entry_at(i)); i++)
        if (!strcmp(last_of(e->path), last_of(path)))
            return e->path;
    for (int i = 0; (e = mdm_authors_entry_at(i)) && best > 0; i++) {
        const int d = mdm_word_distance(path, e->path);

        if (d < best) {
            best = d;
            nearest = e->path;
        }
    }
    return nearest;
}

static int refuse(const struct mdm_yaml_value *v)
{
    const char *nearest = nearest_of(v->path);

    return mdm_fail(MASKDM_ENOTFOUND, "line %ld: the MaskDM authors' configurations have no entry \"%s\"%s%s",
                    v->line, v->path, nearest ? "; the nearest is " : "", nearest ? nearest : "");
}

static int keep(void *user, const struct mdm_yaml_value *v)
{
    struct mdm_authors_config *c = user;
    const int i = mdm_authors_find(v->path);

    if (!strcmp(v->path, "define") && v->anchored) /* used where an alias stands */
        return MASKDM_OK;
    if (i < 0)
        return refuse(v);
    if (c->text[i])
        return mdm_fail(MASKDM_EINVAL, "line %ld: %s stands twice, first in line %ld", v->line, v->path, c->line[i]);
    c->text[i] = mdm_strdup(v->text);
    c->line[i] = v->line;
    return c->text[i] ? MASKDM_OK : mdm_fail_memory(strlen(v->text) + 1, "an entry");
}

/* Whether a value is one of "a|b"; of "" the empty one. */
static int is_among(const char *value, const char *list)
{
    char word[32];

    do {
        const size_t n = strcspn(list, "|");

        mdm_format(word, sizeof word, "%.*s", (int)n, list);
        if (mdm_authors_alike(value, word))
            return 1;
        list += n;
    } while (*list++);
    return 0;
}

static int take(struct mdm_authors_config *c, int i)
{
    const struct mdm_authors_entry *e = mdm_authors_entry_at(i);

    if (!c->text[i] || e->together)
        return MASKDM_OK;
    if (e->option)
        return mdm_authors_put(c, e->path, e->option, c->text[i]);
    if (e->agrees && is_among(c->text[i], e->agrees))
        return MASKDM_OK;
    if (e->refused)
        return mdm_authors_refuse(c, MASKDM_ENOTSUP, e->path, e->otherwise);
    mdm_authors_leave(c, e->path, e->otherwise);
    return MASKDM_OK;
}

static int take_all(struct mdm_authors_config *c)
{
    for (size_t i = 0; i < MDM_LENGTH(always); i++)
        MDM_TRY(mdm_options_set(c->options, always[i].option, always[i].value));
    for (int i = 0; mdm_authors_entry_at(i); i++)
        MDM_TRY(take(c, i));
    return mdm_authors_take_together(c);
}

int mdm_options_parse_authors(maskdm_options *o, const char *yaml, size_t bytes, const struct mdm_log *log)
{
    struct mdm_authors_config *c;
    int status;

    if (!mdm_option_has_stages(o->kind))
        return mdm_fail(MASKDM_EINVAL, "the MaskDM authors' configurations are for training, not for %s",
                        o->kind->name);
    c = mdm_need(1, sizeof *c, "a configuration");
    if (!c)
        return MASKDM_ENOMEM;
    c->log = log;
    status = mdm_yaml_read(yaml, bytes, keep, c);
    if (status >= 0)
        status = mdm_options_clone(&c->options, o);
    if (status >= 0)
        status = mdm_options_replace(o, &c->options, take_all(c));
    for (int i = 0; i < MDM_AUTHORS_ENTRIES; i++)
        mdm_free(c->text[i]);
    mdm_free(c);
    return status;
}
