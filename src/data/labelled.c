/* SPDX-License-Identifier: BSD-2-Clause */
#include "data/labelled.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/label_file.h"
#include "os/file.h"

static const size_t most_bytes = 1u << 30; /* of a file of labels */

static int label_images(struct mdm_label_list *l, struct mdm_scan *s, const char *path, const char *file,
                        const struct mdm_log *log)
{
    int64_t unused, without = 0;
    const char *first;

    mdm_scan_forget_labels(s);
    MDM_TRY(mdm_label_list_give(l, s, 0, &unused, &first));
    for (int64_t i = 0; i < s->count; i++)
        without += s->file[i].label < 0;
    if (without == s->count)
        return mdm_fail(MASKDM_EINVAL,
                        "it has labels for %lld images, the first %s, and %s has %lld others, the first %s",
                        (long long)l->count, first, path, (long long)s->count, mdm_scan_name(s, 0));
    if (unused)
        mdm_log_line(log, MASKDM_LOG_WARN, "%s has labels for %lld images, of which %lld are not in %s, the first %s",
                     file, (long long)l->count, (long long)unused, path, first);
    if (without)
        mdm_log_line(log, MASKDM_LOG_WARN, "%lld of the %lld images in %s have no label in %s", (long long)without,
                     (long long)s->count, path, file);
    return MASKDM_OK;
}

int mdm_labelled_give(struct mdm_scan *s, const char *path, const struct mdm_labelled *by, const struct mdm_log *log)
{
    struct mdm_label_list l = {0};
    char *text;
    size_t bytes;
    int status;

    MDM_TRY(mdm_file_read_all(&text, &bytes, by->file, most_bytes));
    status = mdm_label_file_read(&l, text, bytes, by->attribute, by->said);
    mdm_free(text);
    if (status >= 0)
        status = label_images(&l, s, path, by->file, log);
    mdm_label_list_free(&l);
    return status < 0 ? mdm_fail_prefix(status, "%s", by->file) : status;
}
