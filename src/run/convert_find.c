/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Places of weights, told by the one tensor that every network has, and told apart by the words in their paths. Of
 * "model.model.", "ema.online_model.model." and "ema.ema_model.model.", as the authors' program writes them, the
 * first is meant by online and the last by the average; the one between is the averager's copy of the first.
 */
#include "run/convert_find.h"

#include "base/error.h"
#include "text/text.h"

#include <string.h>

/* What wraps a module stands in the path as one more part: data parallel, torch.compile, FSDP. */
static const char *const wrappers[] = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"};
static const char *const average_words[] = {"ema", "average", "averaged", "avg", "swa", "shadow"};
static const char *const online_words[] = {"online"};

static int is_one_of(const char *const *list, size_t count, const char *s, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < n && list[i][k] && (s[k] | (s[k] >= 'A' && s[k] <= 'Z' ? 0x20 : 0)) == list[i][k])
            k++;
        if (k == n && !list[i][k])
            return 1;
    }
    return 0;
}

/* Whether a part of a path has one of the words: "ema_model", "model_ema", "ema2". */
static int has_word(const char *const *list, size_t count, const char *part, size_t n)
{
    for (size_t begin = 0; begin < n;) {
        size_t end = begin, letters;

        while (end < n && part[end] != '_')
            end++;
        for (letters = end; letters > begin && part[letters - 1] >= '0' && part[letters - 1] <= '9'; letters--)
            ;
        if (is_one_of(list, count, part + begin, letters - begin))
            return 1;
        begin = end + 1;
    }
    return 0;
}

/* ---- wrappers ---- */

/* In place: the name without its wrappers, the last part aside. */
static int unwrap(char *name)
{
    char *to = name;
    int dropped = 0;

    for (const char *from = name;;) {
        const char *dot = strchr(from, '.');
        const size_t n = dot ? (size_t)(dot - from) : strlen(from);

        if (!dot) {
            memmove(to, from, n + 1);
            return dropped;
        }
        if (is_one_of(wrappers, MDM_LENGTH(wrappers), from, n)) {
            dropped = 1;
        } else {
            memmove(to, from, n + 1);
            to += n + 1;
        }
        from = dot + 1;
    }
}

int mdm_convert_unwrap(struct mdm_tensorfile *s, int64_t *dropped)
{
    *dropped = 0;
    for (int64_t i = 0; i < s->count; i++)
        *dropped += unwrap(s->tensor[i].name);
    return *dropped ? mdm_tensorfile_reindex(s) : MASKDM_OK;
}

/* ---- places ---- */

/* The last part of the path that says what it is decides. */
static void judge_path(struct mdm_place *place)
{
    const char *prefix = place->prefix;

    for (size_t begin = 0, n; prefix[begin]; begin += n + 1) {
        n = strcspn(prefix + begin, ".");
        if (has_word(average_words, MDM_LENGTH(average_words), prefix + begin, n))
            place->average = place->averager = 1;
        else if (has_word(online_words, MDM_LENGTH(online_words), prefix + begin, n))
            place->average = 0;
    }
}

static int add_place(struct mdm_places *p, const char *name, size_t n)
{
    struct mdm_place *place = &p->all[p->count];

    if (n > MDM_PLACE_PREFIX)
        return mdm_fail(MASKDM_EFORMAT,
                        "tensor \"%.200s\" is nested too deep to be a network's: %zu bytes before "
                        "its name; at most %d are allowed",
                        name, n, MDM_PLACE_PREFIX);
    if (p->count == MDM_PLACES)
        return mdm_fail(MASKDM_EFORMAT, "weights of more than %d networks", MDM_PLACES);
    memset(place, 0, sizeof *place);
    memcpy(place->prefix, name, n);
    judge_path(place);
    p->count++;
    return MASKDM_OK;
}

static int list_places_of(struct mdm_places *p, const struct mdm_tensorfile *s, const char *anchor)
{
    const size_t n = strlen(anchor);

    for (int64_t i = 0; i < s->count; i++) {
        const char *name = s->tensor[i].name;
        const size_t length = strlen(name);

        if (length >= n && !strcmp(name + length - n, anchor) && (length == n || name[length - n - 1] == '.'))
            MDM_TRY(add_place(p, name, length - n));
    }
    return MASKDM_OK;
}

/* Of the first network of which an anchor is there. */
static int list_places(struct mdm_places *p, const struct mdm_tensorfile *s)
{
    for (int i = 0; !p->count && (p->network = mdm_network_at(i)); i++) {
        MDM_TRY(list_places_of(p, s, p->network->anchor));
        if (!p->count && p->network->other_anchor)
            MDM_TRY(list_places_of(p, s, p->network->other_anchor));
    }
    if (!p->network)
        return mdm_fail(MASKDM_EFORMAT,
                        "none of its %lld tensors is called \"%s\", with whatever before it: no "
                        "checkpoint of the authors' network",
                        (long long)s->count, mdm_network_at(0)->anchor);
    return MASKDM_OK;
}

/* "a.b" for the prefix "a.b.", "." for none. */
static void show_prefix(struct mdm_text *t, const struct mdm_place *place)
{
    const size_t n = strlen(place->prefix);

    mdm_text_add(t, "\"");
    mdm_text_add_n(t, n ? place->prefix : ".", n ? n - 1 : 1);
    mdm_text_add(t, "\"");
}

/* One line that lists every place for which `fits`, and says which option chooses. */
static int fail_choice(const struct mdm_places *p, const char *why, const char *option,
                       int (*fits)(const struct mdm_place *place))
{
    struct mdm_text t = {0};
    int status;

    for (int i = 0; i < p->count; i++)
        if (fits(&p->all[i])) {
            mdm_text_add(&t, t.length ? ", " : "");
            show_prefix(&t, &p->all[i]);
        }
    status = mdm_text_ok(&t);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_EFORMAT, "%s: %.400s; %s chooses one, or none", why, t.data, option);
    mdm_text_free(&t);
    return status;
}

static int is_any(const struct mdm_place *place)
{
    return place != NULL;
}

static int is_average(const struct mdm_place *place)
{
    return place->average;
}

static int is_online(const struct mdm_place *place)
{
    return !place->average && !place->averager;
}

static int is_copy(const struct mdm_place *place)
{
    return !place->average && place->averager;
}

/* The only place for which `fits` into *out; left alone where there is none. */
static int find_only(const struct mdm_place **out, const struct mdm_places *p, const char *why, const char *option,
                     int (*fits)(const struct mdm_place *place))
{
    for (int i = 0; i < p->count; i++)
        if (fits(&p->all[i])) {
            if (*out)
                return fail_choice(p, why, option, fits);
            *out = &p->all[i];
        }
    return MASKDM_OK;
}

/* Of several averages, that which the network's authors sample with. */
static int is_authors_average(const struct mdm_places *p, const struct mdm_place *place)
{
    const char *name = p->network->average;
    const size_t n = name ? strlen(name) : 0;

    for (const char *at = place->prefix; n && *at; at += strcspn(at, "."), at += *at == '.')
        if (!strncmp(at, name, n) && at[n] == '.')
            return 1;
    return 0;
}

static int find_average(struct mdm_places *p)
{
    for (int i = 0; i < p->count && !p->average; i++)
        if (is_average(&p->all[i]) && is_authors_average(p, &p->all[i]))
            p->average = &p->all[i];
    return p->average ? MASKDM_OK : find_only(&p->average, p, "more than one EMA", "ema_from", is_average);
}

/* Whether `asked` is the prefix without its last dot, or "." where it is empty. */
static int is_asked(const char *prefix, const char *asked)
{
    const size_t n = strlen(asked);

    if (!*prefix)
        return !strcmp(asked, ".");
    return !strncmp(prefix, asked, n) && !strcmp(prefix + n, ".");
}

/* 1: the option decided; 0: it leaves it to the names. It may name the diffusion around a network too. */
static int follow_option(const struct mdm_place **out, const struct mdm_places *p, const char *asked,
                         const char *option)
{
    char around[MDM_PLACE_PREFIX + 1];

    if (!*asked || !strcmp(asked, "none"))
        return *asked != 0;
    for (int i = 0; i < p->count && !*out; i++)
        if (is_asked(p->all[i].prefix, asked))
            *out = &p->all[i];
    for (int i = 0; i < p->count && !*out; i++) {
        mdm_convert_around(around, &p->all[i]);
        if (is_asked(around, asked))
            *out = &p->all[i];
    }
    return *out ? 1 : fail_choice(p, "there are no weights where it was said; they are at", option, is_any);
}

int mdm_convert_find(struct mdm_places *p, const struct mdm_tensorfile *s, const char *average, const char *online)
{
    int decided;

    memset(p, 0, sizeof *p);
    MDM_TRY(list_places(p, s));
    MDM_TRY(decided = follow_option(&p->average, p, average, "ema_from"));
    if (!decided)
        MDM_TRY(find_average(p));
    MDM_TRY(decided = follow_option(&p->online, p, online, "online_from"));
    if (!decided)
        MDM_TRY(find_only(&p->online, p, "weights of more than one network", "online_from", is_online));
    if (!decided && !p->online)
        MDM_TRY(find_only(&p->online, p, "more than one copy of the online weights", "online_from", is_copy));
    if (p->online == p->average)
        p->online = NULL;
    return mdm_convert_main(p) ? MASKDM_OK
                               : fail_choice(p, "no weights are left to convert; they are at", "online_from", is_any);
}

const struct mdm_place *mdm_convert_main(const struct mdm_places *p)
{
    return p->average ? p->average : p->online;
}

void mdm_convert_around(char out[MDM_PLACE_PREFIX + 1], const struct mdm_place *place)
{
    static const char *const network[] = {"model.", "net."};
    const size_t n = strlen(place->prefix);

    memcpy(out, place->prefix, n + 1);
    for (size_t i = 0; i < MDM_LENGTH(network); i++) {
        const size_t m = strlen(network[i]);

        if (n >= m && !strcmp(place->prefix + n - m, network[i]) && (n == m || place->prefix[n - m - 1] == '.'))
            out[n - m] = '\0';
    }
}
