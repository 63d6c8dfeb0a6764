/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which source a path leads to.
 */
#include "data/source.h"

#include "tensorfile/foreign.h"

#include <string.h>

static const struct mdm_source_class *const classes[] = {&mdm_cifar_source, &mdm_tensors_source, &mdm_tar_source,
                                                         &mdm_zip_source,   &mdm_lmdb_source,    &mdm_folder_source};

static int read_head(struct mdm_source_look *look, unsigned char head[MDM_SOURCE_HEAD])
{
    struct mdm_reader *file;
    int r;

    if (look->kind != MDM_FILE_REGULAR)
        return MASKDM_OK;
    MDM_TRY(mdm_reader_open(&file, look->path));
    look->size = mdm_reader_size(file);
    look->n = look->size < MDM_SOURCE_HEAD ? (size_t)look->size : MDM_SOURCE_HEAD;
    r = mdm_reader_read_at(file, head, look->n, 0);
    mdm_reader_close(&file);
    return r;
}

/* "x is a gzip archive, and no folder or archive of images that is read; unpack it first" */
static int refuse(const struct mdm_source_look *look)
{
    const struct mdm_foreign *f = look->kind == MDM_FILE_REGULAR ? mdm_foreign_find(look->head, look->n) : NULL;
    const char *what = look->kind != MDM_FILE_REGULAR ? "neither a folder nor a file"
                       : !look->size                  ? "empty"
                       : f                            ? f->what
                                                      : "a file of unknown kind";

    return mdm_fail(MASKDM_EINVAL, "%s is %s, and no folder or archive of images that is read%s%s", look->path, what,
                    f && f->advice ? "; " : "", f && f->advice ? f->advice : "");
}

/* 1, with whose it is, or 0, or a failure. */
static int recognise(const struct mdm_source_class **out, struct mdm_source_look *look,
                     unsigned char head[MDM_SOURCE_HEAD])
{
    int r = 0;

    look->head = head;
    MDM_TRY(mdm_file_kind_of(&look->kind, look->path));
    MDM_TRY(read_head(look, head));
    for (size_t i = 0; i < MDM_LENGTH(classes) && r == 0; i++) {
        r = classes[i]->is(look);
        *out = classes[i];
    }
    return r;
}

int mdm_source_is(int *is, const char *path)
{
    unsigned char head[MDM_SOURCE_HEAD];
    struct mdm_source_look look = {.path = path};
    const struct mdm_source_class *kind;
    const int r = recognise(&kind, &look, head);

    *is = r > 0;
    return r < 0 ? r : MASKDM_OK;
}

int mdm_source_find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                    const struct mdm_log *log, maskdm_control *control)
{
    unsigned char head[MDM_SOURCE_HEAD];
    struct mdm_source_look look = {.path = path};
    int r;

    memset(s, 0, sizeof *s);
    r = recognise(&s->kind, &look, head);
    if (r <= 0)
        return r < 0 ? r : refuse(&look);
    r = s->kind->find(s, path, except, log, control);
    if (r < 0)
        mdm_scan_free(s);
    return r;
}
