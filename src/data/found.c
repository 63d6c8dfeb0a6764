/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of entries, and what they say together.
 */
#include "data/found.h"

#include "base/alloc.h"
#include "base/control.h"
#include "base/sort.h"

#include <string.h>

void mdm_found_begin(struct mdm_found *f, struct mdm_scan *s, const char *path, const struct mdm_log *log,
                     maskdm_control *control)
{
    memset(f, 0, sizeof *f);
    f->scan = s;
    f->path = path;
    f->log = log;
    f->control = control;
    s->root = strlen(path) + 1;
}

/* ---- one entry ---- */

static int refuse_name(const struct mdm_found *f, const char *name, size_t n, uint64_t place, const char *why)
{
    return mdm_fail(MASKDM_EFORMAT, "%s: the entry at byte %llu, \"%.*s\" of %zu bytes, %s", f->path,
                    (unsigned long long)place, n < 160 ? (int)n : 160, name, n, why);
}

int mdm_found_name(struct mdm_found *f, const char *name, size_t n, uint64_t place)
{
    size_t to = 0;

    if (n >= sizeof f->name)
        return refuse_name(f, name, n, place, "has too long a name");
    if (memchr(name, 0, n))
        return refuse_name(f, name, n, place, "has an end of text in its name");
    if (n && *name == '/')
        return refuse_name(f, name, n, place, "leads outside: its name is that of the whole system's");
    for (size_t at = 0, next; at < n; at = next + 1) {
        const char *slash = memchr(name + at, '/', n - at);
        const size_t length = (slash ? (size_t)(slash - name) : n) - at;

        next = at + length;
        if (length == 2 && memcmp(name + at, "..", 2) == 0)
            return refuse_name(f, name, n, place, "leads outside");
        if (!length || (length == 1 && name[at] == '.'))
            continue;
        if (to)
            f->name[to++] = '/';
        memcpy(f->name + to, name + at, length);
        to += length;
    }
    f->name[to] = '\0';
    return MASKDM_OK;
}

int mdm_found_is_hidden(const char *name)
{
    for (; name; name = strchr(name, '/'))
        if (*(name += *name == '/') == '.')
            return 1;
    return 0;
}

static int leave_out(struct mdm_found *f, int kind)
{
    char *path = mdm_path_join(f->path, f->name);
    int r = path ? mdm_left_out_add(&f->left, kind, path) : MASKDM_ENOMEM;

    mdm_free(path);
    return r;
}

int mdm_found_file(struct mdm_found *f, uint64_t bytes, uint64_t place)
{
    const int image = mdm_scan_is_image(f->name);
    int left = mdm_found_is_hidden(f->name) ? MDM_LEFT_HIDDEN : mdm_left_out_format(f->name);
    char *path;

    MDM_TRY(mdm_control_reading(f->control, &f->told, 0, f->scan->count));
    if (left == MDM_LEFT_HIDDEN && !image)
        return MASKDM_OK;
    if (left >= 0)
        return leave_out(f, left);
    if (!image)
        return MASKDM_OK;
    if (bytes > INT64_MAX)
        return mdm_fail(MASKDM_EFORMAT, "%s/%s has %llu bytes, more than %lld", f->path, f->name,
                        (unsigned long long)bytes, (long long)INT64_MAX);
    path = mdm_path_join(f->path, f->name);
    return path ? mdm_scan_add(f->scan, path, (int64_t)bytes, -1, place) : MASKDM_ENOMEM;
}

int mdm_found_other(struct mdm_found *f, enum mdm_left_out_kind kind)
{
    if (!mdm_scan_is_image(f->name))
        return MASKDM_OK;
    f->scan->unreadable++;
    return leave_out(f, kind);
}

/* ---- all of them ---- */

static int check_names(const struct mdm_scan *s)
{
    for (int64_t i = 1; i < s->count; i++)
        if (strcmp(s->file[i - 1].path, s->file[i].path) == 0)
            return mdm_fail(MASKDM_EFORMAT, "%s is there twice, at bytes %llu and %llu", s->file[i].path,
                            (unsigned long long)s->file[i - 1].place, (unsigned long long)s->file[i].place);
    return MASKDM_OK;
}

/* Bytes of the first folder in a name; 0: none. */
static size_t folder_of(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? (size_t)(slash - name) : 0;
}

/* Whether one folder holds all, and a folder at least. */
static size_t wrapper(const struct mdm_scan *s)
{
    const char *first = mdm_scan_name(s, 0);
    const size_t n = folder_of(first);
    int deep = 0;

    for (int64_t i = 0; i < s->count && n; i++) {
        const char *name = mdm_scan_name(s, i);

        if (folder_of(name) != n || memcmp(name, first, n))
            return 0;
        deep |= strchr(name + n + 1, '/') != NULL;
    }
    return deep ? n : 0;
}

static void unwrap(struct mdm_found *f)
{
    struct mdm_scan *s = f->scan;
    const size_t from = s->root;
    size_t n;

    while ((n = wrapper(s)))
        s->root += n + 1;
    if (s->root > from)
        mdm_log_line(f->log, MASKDM_LOG_INFO, "all images of %s lie below %.*s, which is taken for their folder",
                     f->path, (int)(s->root - from - 1), s->file[0].path + from);
}

/* The first file of each folder; those of one folder stand together. */
struct folders {
    const struct mdm_scan *scan;
    int64_t *first, *order, count;
};

static int by_folder(const void *user, int64_t a, int64_t b)
{
    const struct folders *l = user;
    const char *x = mdm_scan_name(l->scan, l->first[a]), *y = mdm_scan_name(l->scan, l->first[b]);
    const size_t n = folder_of(x), m = folder_of(y);
    const int order = memcmp(x, y, n < m ? n : m);

    return order ? order : n < m ? -1 : n > m;
}

static void list_folders(struct folders *l)
{
    const struct mdm_scan *s = l->scan;
    const char *before = NULL;
    size_t same = 0;

    for (int64_t i = 0; i < s->count; i++) {
        const char *name = mdm_scan_name(s, i);
        const size_t n = folder_of(name);

        if (n && !(before && n == same && memcmp(before, name, n) == 0)) {
            l->first[l->count++] = i;
            before = name;
            same = n;
        }
    }
}

static int label_folder(struct mdm_scan *s, int64_t first)
{
    const char *folder = mdm_scan_name(s, first);
    const size_t n = folder_of(folder);

    for (int64_t i = first; i < s->count && strncmp(mdm_scan_name(s, i), folder, n + 1) == 0; i++)
        s->file[i].label = (int32_t)s->labels;
    return mdm_scan_add_label(s, folder, n);
}

static int label_by_folders(struct mdm_scan *s)
{
    struct folders l = {.scan = s};
    int r = MASKDM_OK;

    l.first = mdm_need((size_t)s->count, sizeof *l.first, "the folders of an archive");
    l.order = mdm_need((size_t)s->count, sizeof *l.order, "the folders of an archive");
    if (l.first && l.order) {
        list_folders(&l);
        mdm_sort_all(l.order, l.count, by_folder, &l);
    } else {
        r = MASKDM_ENOMEM;
    }
    for (int64_t k = 0; k < l.count && r >= 0; k++)
        r = label_folder(s, l.first[l.order[k]]);
    mdm_free(l.first);
    mdm_free(l.order);
    return r;
}

static int give_list(struct mdm_found *f, struct mdm_label_list *list, int by_key, int64_t *unused,
                     const char **first)
{
    const int r = mdm_label_list_give(list, f->scan, by_key, unused, first);

    return r < 0 ? mdm_fail_prefix(r, "%s", f->path) : r;
}

static int give_labels(struct mdm_found *f)
{
    struct mdm_label_list *keyed = f->cls.count ? &f->cls : &f->json;
    const char *first;
    int64_t unused;

    if (f->labels.count) {
        MDM_TRY(give_list(f, &f->labels, 0, &unused, &first));
        if (unused)
            return mdm_fail(MASKDM_EFORMAT,
                            "%s has labels for %lld images, of which %lld are not there, the first %s", f->path,
                            (long long)f->labels.count, (long long)unused, first);
        return MASKDM_OK;
    }
    if (keyed->count) {
        MDM_TRY(give_list(f, keyed, 1, &unused, &first));
        if (unused)
            mdm_log_line(f->log, MASKDM_LOG_WARN, "%s has %lld labels, of which %lld are of no image, the first %s",
                         f->path, (long long)keyed->count, (long long)unused, first);
        return MASKDM_OK;
    }
    if (f->unlabelled)
        return MASKDM_OK;
    unwrap(f);
    return label_by_folders(f->scan);
}

static int settle(struct mdm_found *f)
{
    mdm_left_out_tell(&f->left, f->log);
    if (!f->scan->count)
        return mdm_left_out_fail(&f->left, f->path);
    mdm_scan_settle(f->scan);
    MDM_TRY(check_names(f->scan));
    return give_labels(f);
}

int mdm_found_end(struct mdm_found *f, int status)
{
    if (status >= 0)
        status = settle(f);
    mdm_left_out_free(&f->left);
    mdm_label_list_free(&f->labels);
    mdm_label_list_free(&f->cls);
    mdm_label_list_free(&f->json);
    return status;
}
