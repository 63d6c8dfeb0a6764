/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Walks a folder. Files are collected first and sorted whole, so that the order is that of the paths' bytes and not
 * of the walk.
 */
#include "data/scan.h"

#include "util/alloc.h"
#include "util/file.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64 }; /* folders inside each other */

struct walk {
    struct maskdm_scan *scan;
    const struct maskdm_log *log;
    const char *folder; /* being listed */
    int depth;
    int32_t label;
    struct maskdm_folder_id id[DEPTH_MOST]; /* of the folders from the first down to this one */
};

static int has_image_suffix(const char *name)
{
    static const char *const suffix[] = {".png", ".jpg", ".jpeg"};
    size_t n = strlen(name);

    for (size_t i = 0; i < MASKDM_LENGTH(suffix); i++) {
        size_t k = strlen(suffix[i]), same = 0;

        if (n <= k)
            continue;
        while (same < k && (name[n - k + same] | (name[n - k + same] >= 'A' && name[n - k + same] <= 'Z' ? 32 : 0)) ==
                               suffix[i][same])
            same++;
        if (same == k)
            return 1;
    }
    return 0;
}

/* Room for one more element in a growing array. */
static int make_room(void **array, int64_t *capacity, int64_t count, size_t size)
{
    int64_t more = *capacity ? *capacity * 2 : 256;
    void *grown;

    if (count < *capacity)
        return MASKDM_OK;
    grown = maskdm_realloc(*array, (size_t)more * size);
    if (!grown)
        return maskdm_fail_memory((size_t)more * size, "the list of images");
    *array = grown;
    *capacity = more;
    return MASKDM_OK;
}

static int add_file(struct walk *w, char *path)
{
    struct maskdm_scan *s = w->scan;
    void *file = s->file;
    int r = make_room(&file, &s->capacity, s->count, sizeof *s->file);

    s->file = file;
    if (r < 0) {
        maskdm_free(path);
        return r;
    }
    s->file[s->count].path = path;
    s->file[s->count++].label = w->label;
    return MASKDM_OK;
}

static int visit(void *user, const char *name, enum maskdm_file_kind kind);

static int walk_folder(struct walk *w, const char *path)
{
    const char *above = w->folder;
    int r;

    if (w->depth == DEPTH_MOST)
        return maskdm_fail(MASKDM_EINVAL, "%s: folders are more than %d deep", path, DEPTH_MOST);
    MASKDM_TRY(maskdm_folder_id(&w->id[w->depth], path));
    for (int i = 0; i < w->depth; i++)
        if (w->id[i].device == w->id[w->depth].device && w->id[i].number == w->id[w->depth].number) {
            maskdm_log_line(w->log, MASKDM_LOG_WARN, "%s leads back to a folder above it; left out", path);
            return MASKDM_OK;
        }
    w->folder = path;
    w->depth++;
    r = maskdm_folder_list(path, visit, w);
    w->depth--;
    w->folder = above;
    return r;
}

/* First-level folders take the next label, and give it back when no image was found below them. */
static int walk_labelled(struct walk *w, const char *path, const char *name)
{
    struct maskdm_scan *s = w->scan;
    int64_t before = s->count;
    void *label = s->label;
    char *copy;
    int r;

    if (w->depth != 1)
        return walk_folder(w, path);
    r = make_room(&label, &s->label_capacity, s->labels, sizeof *s->label);
    s->label = label;
    MASKDM_TRY(r);
    w->label = (int32_t)s->labels;
    r = walk_folder(w, path);
    w->label = -1;
    if (r < 0 || s->count == before)
        return r;
    copy = maskdm_strdup(name);
    if (!copy)
        return maskdm_fail_memory(strlen(name) + 1, "the name of a label");
    s->label[s->labels++] = copy;
    return MASKDM_OK;
}

static int visit(void *user, const char *name, enum maskdm_file_kind kind)
{
    struct walk *w = user;
    char *path;
    int r;

    if (name[0] == '.' || !(kind == MASKDM_FILE_FOLDER || (kind == MASKDM_FILE_REGULAR && has_image_suffix(name))))
        return MASKDM_OK;
    path = maskdm_path_join(w->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    if (kind == MASKDM_FILE_REGULAR)
        return add_file(w, path);
    r = walk_labelled(w, path, name);
    maskdm_free(path);
    return r;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct maskdm_scan_file *)a)->path, ((const struct maskdm_scan_file *)b)->path);
}

int maskdm_scan_folder(struct maskdm_scan *s, const char *path, const struct maskdm_log *log)
{
    struct walk w = {.scan = s, .log = log, .label = -1};
    int r;

    memset(s, 0, sizeof *s);
    r = walk_folder(&w, path);
    if (r >= 0 && !s->count)
        r = maskdm_fail(MASKDM_EINVAL, "no PNG or JPEG file below \"%s\"", path);
    if (r < 0)
        maskdm_scan_free(s);
    else
        qsort(s->file, (size_t)s->count, sizeof *s->file, compare);
    return r;
}

void maskdm_scan_free(struct maskdm_scan *s)
{
    for (int64_t i = 0; i < s->count; i++)
        maskdm_free(s->file[i].path);
    for (int64_t i = 0; i < s->labels; i++)
        maskdm_free(s->label[i]);
    maskdm_free(s->file);
    maskdm_free(s->label);
    memset(s, 0, sizeof *s);
}
