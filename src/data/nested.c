/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Looks at paths alone. They are sorted by bytes, so that what lies in one folder stands together.
 */
#include "data/nested.h"

#include "text/text.h"

#include <string.h>

enum { NAMED_MOST = 8 };

/* The bytes of the next folder's name behind `length` bytes of a path; 0: the file lies there itself. */
static size_t next_name(const char *path, size_t length)
{
    const char *slash = strchr(path + length, '/');

    return slash ? (size_t)(slash - path) - length : 0;
}

static int is_in(const char *path, const struct mdm_nested *n)
{
    return strncmp(path, n->path, n->length) == 0 && path[n->length] == '/';
}

/* Call `visit` for each folder directly in n; whether a file lies there, too. */
static int each_folder(const struct mdm_scan *s, const struct mdm_nested *n,
                       void (*visit)(void *user, const char *path, size_t name), void *user)
{
    const size_t from = n->length + 1;
    const char *before = NULL;
    size_t same = 0;
    int files = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const char *path = s->file[i].path;
        size_t name;

        if (!is_in(path, n))
            continue;
        name = next_name(path, from);
        files |= !name;
        if (name && !(before && name == same && memcmp(before + from, path + from, name) == 0))
            visit(user, path, name);
        if (name)
            before = path;
        same = name ? name : same;
    }
    return files;
}

static void count(void *user, const char *path, size_t name)
{
    struct mdm_nested *only = user;

    only->path = path;
    only->length = name;
    only->folders++;
}

struct mdm_nested mdm_nested_below(const struct mdm_scan *s, int64_t label)
{
    struct mdm_nested n = {0}, only = {0};
    int files;

    for (int64_t i = 0; i < s->count && !n.path; i++)
        if (s->file[i].label == label)
            n.path = s->file[i].path;
    if (!n.path)
        return n;
    n.length = s->root + strlen(s->label[label]);
    files = each_folder(s, &n, count, &only);
    while (!files && only.folders == 1) {
        n.path = only.path;
        n.length += 1 + only.length;
        only.folders = 0;
        files = each_folder(s, &n, count, &only);
    }
    n.folders = only.folders;
    return n;
}

struct list {
    struct mdm_text *out;
    size_t from;
    int count;
};

static void add_name(void *user, const char *path, size_t name)
{
    struct list *l = user;

    if (l->count < NAMED_MOST) {
        mdm_text_add(l->out, l->count ? ", " : "");
        mdm_text_add_n(l->out, path + l->from, name);
    } else if (l->count == NAMED_MOST) {
        mdm_text_add(l->out, ", ...");
    }
    l->count++;
}

void mdm_nested_list(const struct mdm_scan *s, const struct mdm_nested *n, struct mdm_text *out)
{
    struct list l = {out, n->length + 1, 0};

    (void)each_folder(s, n, add_name, &l);
}
