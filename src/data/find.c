/* SPDX-License-Identifier: BSD-2-Clause */
#include "data/find.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/label_file.h"
#include "data/mixture.h"
#include "data/source.h"
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

/* Where the options name such a file, its labels take the place of those that the source at `path` has. */
static int give_labels(struct mdm_scan *s, const char *path, const struct mdm_folder_options *told,
                       const maskdm_options *from, const struct mdm_log *log)
{
    struct mdm_label_list l = {0};
    char *text;
    size_t bytes;
    int status;

    if (!*told->label_file)
        return *told->label_attribute
                   ? mdm_fail(MASKDM_EINVAL, "%s goes with %s, which is not given",
                              mdm_options_said(from, "label_attribute"), mdm_options_said(from, "label_file"))
                   : MASKDM_OK;
    MDM_TRY(mdm_file_read_all(&text, &bytes, told->label_file, most_bytes));
    status = mdm_label_file_read(&l, text, bytes, told->label_attribute, from);
    mdm_free(text);
    if (status >= 0)
        status = label_images(&l, s, path, told->label_file, log);
    mdm_label_list_free(&l);
    return status < 0 ? mdm_fail_prefix(status, "%s", told->label_file) : MASKDM_OK;
}

int mdm_data_find(struct mdm_scan *found, const char *path, const struct mdm_scan_except *except,
                  const struct mdm_folder_options *told, const maskdm_options *from, const struct mdm_log *log,
                  maskdm_control *control)
{
    int status, several;

    MDM_TRY(mdm_mixture_is(&several, path));
    MDM_TRY((several ? mdm_mixture_find : mdm_source_find)(found, path, except, log, control));
    status = give_labels(found, path, told, from, log);
    if (status < 0)
        mdm_scan_free(found);
    return status;
}
