/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Walks a folder. Files are collected first and sorted whole, so that the order is that of the paths' bytes and not
 * of the walk.
 */
#include "data/scan.h"

#include "base/alloc.h"
#include "base/control.h"
#include "data/left_out.h"
#include "data/source.h"

#include <string.h>

enum { DEPTH_MOST = 64 }; /* folders inside each other */

struct walk {
    struct mdm_scan *scan;
    struct mdm_left_out left;
    const struct mdm_scan_except *except;
    const struct mdm_log *log;
    maskdm_control *control;
    double told; /* when the host heard of the files last */
    const char *folder; /* being listed */
    int depth;
    int32_t label;
    struct mdm_folder_id id[DEPTH_MOST];    /* of the folders from the first down to this one */
};

/* The error line of a file operation, "cannot LIST PATH: REASON", without its first two words. */
static const char *path_and_reason(void)
{
    const char *line = mdm_error_text(), *verb = strchr(line, ' '), *path = verb ? strchr(verb + 1, ' ') : NULL;

    return path ? path + 1 : line;
}

/* A file named as an image, or something of which the listing could not say what it is. */
static int take_file(struct walk *w, char *path, int image)
{
    static const int kind[] = {
        [MDM_LOOK_FILE] = -1,
        [MDM_LOOK_FOLDER] = -1,
        [MDM_LOOK_FIFO] = MDM_LEFT_FIFO,
        [MDM_LOOK_SOCKET] = MDM_LEFT_SOCKET,
        [MDM_LOOK_DEVICE] = MDM_LEFT_DEVICE,
        [MDM_LOOK_BROKEN_LINK] = MDM_LEFT_BROKEN_LINK,
        [MDM_LOOK_LINK_CIRCLE] = MDM_LEFT_LINK_CIRCLE,
        [MDM_LOOK_TOO_LONG] = MDM_LEFT_LONG_PATH,
        [MDM_LOOK_UNREACHABLE] = MDM_LEFT_UNREACHABLE,
    };
    struct mdm_look look;
    int r = mdm_look(&look, path);

    if (r >= 0 && image && look.kind == MDM_LOOK_FILE)
        return mdm_scan_add(w->scan, path, look.bytes, w->label, 0);
    /* A FIFO without an image's name is nobody's loss; a link to nothing may have been a folder of images. */
    if (r >= 0 && kind[look.kind] >= 0 && (image || look.kind >= MDM_LOOK_BROKEN_LINK)) {
        r = mdm_left_out_add(&w->left, kind[look.kind],
                             look.kind == MDM_LOOK_UNREACHABLE ? path_and_reason() : path);
        w->scan->unreadable += image;
    }
    mdm_free(path);
    return r;
}

/* Folders that hold what a run writes first; its grids of samples are no data. */
static int is_run(const char *path, int *yes)
{
    static const char *const name[] = {"options.json", "log.jsonl"};

    *yes = 1;
    for (size_t i = 0; i < MDM_LENGTH(name) && *yes; i++) {
        char *file = mdm_path_join(path, name[i]);
        enum mdm_file_kind kind;
        int r = file ? mdm_file_kind_of(&kind, file) : MASKDM_ENOMEM;

        mdm_free(file);
        if (r == MASKDM_ENOMEM)
            return r;
        *yes = r >= 0 && kind == MDM_FILE_REGULAR;
    }
    return MASKDM_OK;
}

static int same_folder(const struct mdm_folder_id *a, const struct mdm_folder_id *b)
{
    return a->device == b->device && a->number == b->number;
}

/* Whether a folder, whose id stands at w->depth, is no part of the data; *left then has the kind, or -1 where the
 * line was told here. */
static int is_left_out(struct walk *w, const char *path, int *left)
{
    const struct mdm_folder_id *id = &w->id[w->depth];
    int run;

    *left = MDM_LEFT_FOLDER_LOOP;
    for (int i = 0; i < w->depth; i++)
        if (same_folder(&w->id[i], id))
            return 1;
    *left = -1;
    for (const struct mdm_scan_except *e = w->except; w->depth && e && e->what; e++)
        if (same_folder(&e->id, id)) {
            mdm_log_line(w->log, MASKDM_LOG_WARN, "left out: %s, %s", path, e->what);
            return 1;
        }
    *left = MDM_LEFT_FOLDER_RUN;
    MDM_TRY(w->depth ? is_run(path, &run) : (run = 0));
    return run;
}

static int visit(void *user, const char *name, enum mdm_file_kind kind);

/* Want of memory ends the walk; a folder below the first that cannot be entered is left out. */
static int enter_folder(struct walk *w, const char *path)
{
    const char *above = w->folder;
    int left, r;

    if (w->depth == DEPTH_MOST)
        return mdm_left_out_add(&w->left, MDM_LEFT_FOLDER_DEEP, path);
    r = mdm_folder_id(&w->id[w->depth], path);
    if (r >= 0) {
        r = is_left_out(w, path, &left);
        if (r > 0)
            return left < 0 ? MASKDM_OK : mdm_left_out_add(&w->left, left, path);
    }
    if (r >= 0) {
        w->folder = path;
        w->depth++;
        r = mdm_folder_list(path, visit, w);
        w->depth--;
        w->folder = above;
    }
    if (w->depth && (r == MASKDM_EIO || r == MASKDM_ENOTFOUND))
        return mdm_left_out_add(&w->left, MDM_LEFT_FOLDER_UNREADABLE, path_and_reason());
    return r;
}

/* First-level folders take the next label, and give it back when no image was found below them. */
static int walk_labelled(struct walk *w, const char *path, const char *name)
{
    struct mdm_scan *s = w->scan;
    int64_t before = s->count;
    int r;

    if (w->depth != 1)
        return enter_folder(w, path);
    w->label = (int32_t)s->labels;
    r = enter_folder(w, path);
    w->label = -1;
    return r < 0 || s->count == before ? r : mdm_scan_add_label(s, name, strlen(name));
}

static int visit(void *user, const char *name, enum mdm_file_kind kind)
{
    struct walk *w = user;
    int image = mdm_scan_is_image(name), hidden = name[0] == '.';
    int left = hidden ? MDM_LEFT_HIDDEN : kind == MDM_FILE_FOLDER ? -1 : mdm_left_out_format(name), r;
    char *path;

    MDM_TRY(mdm_control_reading(w->control, &w->told, 0, w->scan->count));
    if (!image && (hidden || (kind == MDM_FILE_REGULAR && left < 0))) {
        if (!hidden)
            mdm_endings_add(&w->scan->ignored, name);
        return MASKDM_OK;
    }
    path = mdm_path_join(w->folder, name);
    if (!path)
        return MASKDM_ENOMEM;
    if (left < 0 && kind != MDM_FILE_FOLDER)
        return take_file(w, path, image);
    r = left < 0 ? walk_labelled(w, path, name) : mdm_left_out_add(&w->left, left, path);
    mdm_free(path);
    return r;
}

int mdm_scan_folder(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                    const struct mdm_log *log, maskdm_control *control)
{
    struct walk w = {.scan = s, .except = except, .log = log, .control = control, .label = -1};
    size_t n = strlen(path);
    int r;

    memset(s, 0, sizeof *s);
    s->kind = &mdm_folder_source;
    s->root = n + (n && path[n - 1] != '/');
    r = enter_folder(&w, path);
    if (r >= 0) {
        mdm_left_out_tell(&w.left, log);
        if (!s->count)
            r = mdm_left_out_fail(&w.left, path);
    }
    mdm_left_out_free(&w.left);
    if (r < 0) {
        mdm_scan_free(s);
        return r;
    }
    mdm_scan_settle(s);
    return MASKDM_OK;
}

/* ---- the class ---- */

/* What is missing is its to name, too. */
static int is_folder(const struct mdm_source_look *look)
{
    return look->kind == MDM_FILE_FOLDER || look->kind == MDM_FILE_NONE;
}

static int read_bytes(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at)
{
    struct mdm_reader *file;
    int r = mdm_reader_open(&file, s->file[i].path);

    if (r >= 0) {
        r = mdm_reader_read_at(file, out, n, at);
        mdm_reader_close(&file);
    }
    return r;
}

/* A file may have grown since it was listed. */
static int read_image(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how)
{
    return mdm_image_read(out, s->file[i].path, how);
}

const struct mdm_source_class mdm_folder_source = {
    .is = is_folder, .find = mdm_scan_folder, .bytes = read_bytes, .image = read_image};
