/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sorted once, then looked up image by image.
 */
#include "data/label_list.h"

#include "base/alloc.h"
#include "base/sort.h"
#include "tensorfile/tensorfile_private.h"

#include <string.h>

int32_t mdm_label_parse(const char *text, size_t n)
{
    int32_t label = 0;
    size_t i = 0, digits = 0;

    while (i < n && text[i] == ' ')
        i++;
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++, digits++) {
        label = label * 10 + (text[i] - '0');
        if (label > MDM_LABEL_MOST)
            return -1;
    }
    while (i < n && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    return digits && i == n ? label : -1;
}

size_t mdm_label_key(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strchr(slash ? slash : name, '.');

    return dot ? (size_t)(dot - name) : strlen(name);
}

int mdm_label_list_add(struct mdm_label_list *l, const char *name, size_t n, int32_t label)
{
    struct mdm_label_entry *entry = mdm_tensorfile_grow(l->entry, l->count, sizeof *entry, "a list of labels");

    if (!entry)
        return MASKDM_ENOMEM;
    l->entry = entry;
    entry += l->count;
    *entry = (struct mdm_label_entry){mdm_strndup(name, n), label, 0};
    if (!entry->name)
        return mdm_fail_memory(n + 1, "a list of labels");
    l->count++;
    return MASKDM_OK;
}

static int by_name(const void *user, int64_t a, int64_t b)
{
    const struct mdm_label_list *l = user;

    const int order = strcmp(l->entry[a].name, l->entry[b].name);

    return order ? order : a < b ? -1 : a > b;
}

/* The order of names; one that comes twice has one label. */
static int sort(const struct mdm_label_list *l, int64_t *order)
{
    mdm_sort_all(order, l->count, by_name, l);
    for (int64_t i = 1; i < l->count; i++) {
        const struct mdm_label_entry *a = &l->entry[order[i - 1]], *b = &l->entry[order[i]];

        if (strcmp(a->name, b->name) == 0 && a->label != b->label)
            return mdm_fail(MASKDM_EFORMAT, "\"%.200s\" has two labels, %d and %d", a->name, (int)a->label,
                            (int)b->label);
    }
    return MASKDM_OK;
}

/* All entries of one name are used together. */
static int32_t look_up(struct mdm_label_list *l, const int64_t *order, const char *name, size_t n)
{
    int64_t low = 0, high = l->count;
    int32_t label = -1;

    while (low < high) { /* the first that is not before the name */
        const int64_t middle = low + (high - low) / 2;
        const char *other = l->entry[order[middle]].name;
        const int before = strncmp(other, name, n);

        if (before < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < l->count; low++) {
        struct mdm_label_entry *e = &l->entry[order[low]];

        if (strncmp(e->name, name, n) || e->name[n])
            break;
        e->used = 1;
        label = e->label;
    }
    return label;
}

int mdm_label_list_give(struct mdm_label_list *l, struct mdm_scan *s, int by_key, int64_t *unused, const char **first)
{
    int64_t *order = mdm_need((size_t)l->count + 1, sizeof *order, "the order of labels");
    int32_t largest = -1;
    int r = order ? sort(l, order) : MASKDM_ENOMEM;

    *unused = 0;
    *first = NULL;
    for (int64_t i = 0; i < s->count && r >= 0; i++) {
        const char *name = mdm_scan_name(s, i);

        s->file[i].label = look_up(l, order, name, by_key ? mdm_label_key(name) : strlen(name));
        if (s->file[i].label > largest)
            largest = s->file[i].label;
    }
    for (int64_t i = l->count - 1; i >= 0 && r >= 0; i--)
        if (!l->entry[order[i]].used) {
            *first = l->entry[order[i]].name;
            ++*unused;
        }
    mdm_free(order);
    return r < 0 ? r : mdm_scan_number_labels(s, (int64_t)largest + 1);
}

void mdm_label_list_free(struct mdm_label_list *l)
{
    for (int64_t i = 0; i < l->count; i++)
        mdm_free(l->entry[i].name);
    mdm_free(l->entry);
    memset(l, 0, sizeof *l);
}
