/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder's options.json; see record.h.
 */
#include "run/record.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/file.h"

enum { RECORD_LIMIT = 1 << 20 }; /* bytes */

static int read_record(maskdm_options **out, const struct maskdm_option_kind *kind, const char *path)
{
    struct maskdm_json j;
    size_t bytes;
    char *text;
    int status;

    MASKDM_TRY(maskdm_file_read_all(&text, &bytes, path, RECORD_LIMIT));
    status = maskdm_optionset_create(out, kind);
    maskdm_json_open(&j, text, bytes);
    if (status == MASKDM_OK)
        status = maskdm_optionset_read_json(*out, &j);
    if (status == MASKDM_OK)
        status = maskdm_json_expect(&j, MASKDM_JSON_END);
    maskdm_json_close(&j);
    maskdm_free(text);
    if (status < 0) {
        maskdm_optionset_release(out);
        return maskdm_fail_prefix(status, "%s", path);
    }
    return MASKDM_OK;
}

int maskdm_record_compare(const char *folder, const maskdm_options *options, const char *const *free)
{
    char *path = maskdm_path_join(folder, MASKDM_RECORD_NAME), *theirs = NULL, *ours = NULL;
    enum maskdm_file_kind kind;
    maskdm_options *old = NULL;
    const char *name = NULL;
    int status;

    if (!path)
        return MASKDM_ENOMEM;
    status = maskdm_file_kind_of(&kind, path);
    if (status == MASKDM_OK && kind != MASKDM_FILE_NONE) {
        status = read_record(&old, maskdm_optionset_kind(options), path);
        if (status == MASKDM_OK)
            status = maskdm_optionset_difference(old, options, free, &name, &theirs, &ours);
        if (status == MASKDM_OK && name)
            status = maskdm_fail(MASKDM_EINVAL, "%s was started with %s %s and cannot be resumed with %s", folder,
                                 name, theirs, ours);
    }
    maskdm_free(theirs);
    maskdm_free(ours);
    maskdm_optionset_release(&old);
    maskdm_free(path);
    return status;
}

int maskdm_record_write(const char *folder, const maskdm_options *options)
{
    char *path = maskdm_path_join(folder, MASKDM_RECORD_NAME);
    struct maskdm_text text = {0};
    struct maskdm_writer *w = NULL;
    int status = path ? MASKDM_OK : MASKDM_ENOMEM;

    maskdm_optionset_write_json(options, &text);
    maskdm_text_add(&text, "\n");
    if (status == MASKDM_OK)
        status = maskdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = maskdm_writer_open(&w, path);
    if (status == MASKDM_OK)
        status = maskdm_writer_write(w, text.data, text.length);
    if (status == MASKDM_OK)
        status = maskdm_writer_commit(&w);
    maskdm_writer_abandon(&w);
    maskdm_text_free(&text);
    maskdm_free(path);
    return status;
}
