/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two manifests side by side, as they stand, entry by entry, so that a million files need no list beside their text.
 * Up to the first difference all entries were equal.
 */
#include "base/format.h"
#include "data/manifest.h"
#include "text/json.h"
#include "text/text.h"

#include <string.h>

/* One manifest being read; `name`, `bytes`, `label`, `mark` and `used` are those of the entry read last. */
struct cursor {
    struct mdm_json j;
    struct mdm_text name;
    int64_t bytes, label;
    char mark[17];
    int used, more; /* more: an entry was read; 0: the list is over, or there is none */
};

static int wrong(void)
{
    return mdm_fail(MASKDM_EFORMAT, "this is not a list of a run's data");
}

/* Go to the value of a member of the document; 0: it has none of this name. */
static int find(struct mdm_json *j, const char *key)
{
    int event = mdm_json_next(j);

    if (event != MDM_JSON_OBJECT)
        return event < 0 ? event : wrong();
    for (;;) {
        event = mdm_json_next(j);
        if (event != MDM_JSON_KEY)
            return event < 0 ? event : 0;
        if (!strcmp(j->text, key))
            return 1;
        event = mdm_json_next(j);
        if (event < 0)
            return event;
        MDM_TRY(mdm_json_skip(j, event));
    }
}

static int take_text(struct cursor *c)
{
    mdm_json_bytes(&c->j);
    c->name.length = 0;
    mdm_text_add_n(&c->name, c->j.text, c->j.length);
    return mdm_text_ok(&c->name);
}

/* A number, or -1 for null. */
static int take_number(struct cursor *c, int event, int64_t *out)
{
    *out = -1;
    if (event == MDM_JSON_NUMBER)
        return mdm_json_u63(&c->j, out);
    return event < 0 ? event : event == MDM_JSON_NULL ? MASKDM_OK : wrong();
}

static int take_file(struct cursor *c)
{
    int event;

    MDM_TRY(mdm_json_expect(&c->j, MDM_JSON_STRING));
    MDM_TRY(take_text(c));
    MDM_TRY(take_number(c, mdm_json_next(&c->j), &c->bytes));
    MDM_TRY(take_number(c, mdm_json_next(&c->j), &c->label));
    MDM_TRY(mdm_json_expect(&c->j, MDM_JSON_STRING));
    mdm_format(c->mark, sizeof c->mark, "%s", c->j.text);
    event = mdm_json_next(&c->j);
    c->used = event != MDM_JSON_FALSE;
    if (!c->used)
        event = mdm_json_next(&c->j);
    return event == MDM_JSON_ARRAY_END ? MASKDM_OK : event < 0 ? event : wrong();
}

/* The next entry of the list: a label's name, a file, or an image's label. */
static int next(struct cursor *c)
{
    int event = mdm_json_next(&c->j);

    c->more = event != MDM_JSON_ARRAY_END;
    if (event < 0 || !c->more)
        return event < 0 ? event : MASKDM_OK;
    if (event == MDM_JSON_STRING)
        return take_text(c);
    return event == MDM_JSON_ARRAY ? take_file(c) : take_number(c, event, &c->label);
}

static void tell_label(struct mdm_text *out, const struct cursor *a, const struct cursor *b, int64_t i)
{
    if (!b->more)
        mdm_text_addf(out, "label %lld, \"%.200s\", is gone", (long long)i, a->name.data);
    else if (!a->more)
        mdm_text_addf(out, "label %lld, \"%.200s\", is new", (long long)i, b->name.data);
    else if (strcmp(a->name.data, b->name.data))
        mdm_text_addf(out, "label %lld was \"%.200s\" and is \"%.200s\"", (long long)i, a->name.data, b->name.data);
}

static void tell_file(struct mdm_text *out, const struct cursor *a, const struct cursor *b, int64_t i)
{
    int order = !b->more ? -1 : !a->more ? 1 : strcmp(a->name.data, b->name.data);

    (void)i;
    if (order)
        mdm_text_addf(out, "%.200s is %s", order < 0 ? a->name.data : b->name.data, order < 0 ? "gone" : "new");
    else if (a->bytes != b->bytes)
        mdm_text_addf(out, "%.200s had %lld bytes and has %lld", a->name.data, (long long)a->bytes,
                      (long long)b->bytes);
    else if (a->label != b->label)
        mdm_text_addf(out, "%.200s had label %lld and has %lld", a->name.data, (long long)a->label,
                      (long long)b->label);
    else if (a->used != b->used)
        mdm_text_addf(out, "%.200s was %s and is %s", a->name.data, a->used ? "read" : "left out",
                      b->used ? "read" : "left out");
    else if (strcmp(a->mark, b->mark))
        mdm_text_addf(out, "%.200s has other bytes than it had", a->name.data);
}

static void tell_image(struct mdm_text *out, const struct cursor *a, const struct cursor *b, int64_t i)
{
    if (a->more && b->more && a->label != b->label)
        mdm_text_addf(out, "image %lld had label %lld and has %lld", (long long)i, (long long)a->label,
                      (long long)b->label);
}

static void tell_weight(struct mdm_text *out, const struct cursor *a, const struct cursor *b, int64_t i)
{
    if (a->more && b->more && a->label != b->label)
        mdm_text_addf(out, "source %lld had weight %lld and has %lld", (long long)i + 1, (long long)a->label,
                      (long long)b->label);
}

static const char to_host[] = "the images were files and come from the host";
static const char to_files[] = "the images came from the host and are files";
static const struct list {
    const char *key;
    void (*tell)(struct mdm_text *out, const struct cursor *a, const struct cursor *b, int64_t i);
    const char *lost, *gained; /* the list is in one manifest alone */
} lists[] = {
    {"labels", tell_label, to_host, to_files},
    {"files", tell_file, to_host, to_files},
    {"weights", tell_weight, "the images came from several sources with weights",
     "the images come from several sources with weights"},
    {"image_labels", tell_image, "the images had labels and have none", "the images had no labels and have some"},
};

static int compare_lists(struct mdm_text *out, const struct list *list, struct cursor *a, struct cursor *b)
{
    int in_a = find(&a->j, list->key), in_b = find(&b->j, list->key);

    if (in_a < 0 || in_b < 0)
        return in_a < 0 ? in_a : in_b;
    if (in_a != in_b)
        mdm_text_add(out, in_a ? list->lost : list->gained);
    if (in_a != in_b || !in_a)
        return MASKDM_OK;
    MDM_TRY(mdm_json_expect(&a->j, MDM_JSON_ARRAY));
    MDM_TRY(mdm_json_expect(&b->j, MDM_JSON_ARRAY));
    a->more = b->more = 1;
    for (int64_t i = 0; (a->more || b->more) && !out->length; i++) {
        if (a->more)
            MDM_TRY(next(a));
        if (b->more)
            MDM_TRY(next(b));
        if (a->more || b->more)
            list->tell(out, a, b, i);
    }
    return MASKDM_OK;
}

static int compare_identities(struct mdm_text *out, const struct list *list, struct cursor *a, struct cursor *b)
{
    struct cursor *both[] = {a, b};

    (void)list;
    for (int k = 0; k < 2; k++) {
        int found = find(&both[k]->j, "identity");

        if (found <= 0)
            return found < 0 ? found : wrong();
        MDM_TRY(mdm_json_expect(&both[k]->j, MDM_JSON_STRING));
        MDM_TRY(take_text(both[k]));
    }
    if (strcmp(a->name.data, b->name.data))
        mdm_text_addf(out, "there were %s and are %s", a->name.data, b->name.data);
    return MASKDM_OK;
}

typedef int (*comparison)(struct mdm_text *out, const struct list *list, struct cursor *a, struct cursor *b);

/* One comparison, with both texts read from their beginning. */
static int side_by_side(struct mdm_text *out, comparison compare, const struct list *list, const char *old,
                        size_t old_bytes, const char *now, size_t now_bytes)
{
    struct cursor a = {.used = 1}, b = {.used = 1};
    int r;

    mdm_json_open(&a.j, old, old_bytes);
    mdm_json_open(&b.j, now, now_bytes);
    mdm_text_add(&a.name, ""); /* where a damaged list has something else */
    mdm_text_add(&b.name, "");
    r = mdm_text_ok(&a.name);
    if (r == MASKDM_OK)
        r = mdm_text_ok(&b.name);
    if (r == MASKDM_OK)
        r = compare(out, list, &a, &b);
    mdm_json_close(&a.j);
    mdm_json_close(&b.j);
    mdm_text_free(&a.name);
    mdm_text_free(&b.name);
    return r < 0 ? r : mdm_text_ok(out);
}

static int check_format(const char *text, size_t bytes)
{
    struct mdm_json j;
    int64_t format = 0;
    int r;

    mdm_json_open(&j, text, bytes);
    r = find(&j, "format");
    if (r > 0 && (r = mdm_json_next(&j)) == MDM_JSON_NUMBER)
        r = mdm_json_u63(&j, &format);
    mdm_json_close(&j);
    if (r >= 0 && format != MDM_MANIFEST_FORMAT)
        return mdm_fail(MASKDM_EVERSION, "a list of data in format %lld; format %d is read", (long long)format,
                        MDM_MANIFEST_FORMAT);
    return r < 0 ? r : MASKDM_OK;
}

int mdm_manifest_difference(struct mdm_text *out, const char *old, size_t old_bytes, const char *now,
                            size_t now_bytes)
{
    struct mdm_text identity = {0};
    int r;

    MDM_TRY(check_format(old, old_bytes));
    r = side_by_side(&identity, compare_identities, NULL, old, old_bytes, now, now_bytes);

    for (size_t k = 0; k < MDM_LENGTH(lists) && r >= 0 && identity.length && !out->length; k++)
        r = side_by_side(out, compare_lists, &lists[k], old, old_bytes, now, now_bytes);
    if (r >= 0 && identity.length && !out->length)
        mdm_text_add(out, identity.data);
    mdm_text_free(&identity);
    return r < 0 ? r : mdm_text_ok(out);
}

static int same_file(const struct cursor *c, const struct mdm_scan *s, int64_t i)
{
    const struct mdm_scan_file *file = &s->file[i];
    char mark[sizeof c->mark];

    mdm_format(mark, sizeof mark, "%016llx", (unsigned long long)file->mark);
    return c->bytes == file->bytes && c->label == file->label && !strcmp(c->mark, mark) &&
           !strcmp(c->name.data, mdm_scan_name(s, i));
}

/* 1: the files of the list are those of the scan, in their order. What was left out is marked as far as it goes. */
static int mark_broken(struct cursor *c, struct mdm_scan *s)
{
    int in = find(&c->j, "files");

    if (in <= 0)
        return in;
    MDM_TRY(mdm_json_expect(&c->j, MDM_JSON_ARRAY));
    for (int64_t i = 0;; i++) {
        c->bytes = -1; /* where the entry is no file */
        MDM_TRY(next(c));
        if (!c->more)
            return i == s->count;
        if (i == s->count || !same_file(c, s, i))
            return 0;
        s->file[i].left_out = !c->used;
    }
}

int mdm_manifest_knows(struct mdm_scan *found, const char *manifest, size_t bytes)
{
    struct cursor c = {.used = 1};
    int r;

    mdm_json_open(&c.j, manifest, bytes);
    mdm_text_add(&c.name, "");
    r = mdm_text_ok(&c.name);
    if (r == MASKDM_OK)
        r = mark_broken(&c, found);
    mdm_json_close(&c.j);
    mdm_text_free(&c.name);
    for (int64_t i = 0; r != 1 && i < found->count; i++)
        found->file[i].left_out = 0;
    if (r == 1)
        mdm_scan_settle(found);
    return r == MASKDM_EFORMAT ? 0 : r;
}
