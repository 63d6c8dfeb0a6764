/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder's options.json; see record.h.
 */
#include "run/record.h"

#include "util/alloc.h"
#include "util/error.h"
#include "util/file.h"

enum { RECORD_LIMIT = 1 << 20 }; /* bytes */

static int read_file(maskdm_options **out, const struct maskdm_option_kind *kind, const char *path)
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

int maskdm_record_read(maskdm_options **out, const char *folder, const struct maskdm_option_kind *kind)
{
    char *path = maskdm_path_join(folder, MASKDM_RECORD_NAME);
    enum maskdm_file_kind there;
    int status;

    *out = NULL;
    if (!path)
        return MASKDM_ENOMEM;
    status = maskdm_file_kind_of(&there, path);
    if (status == MASKDM_OK && there != MASKDM_FILE_NONE)
        status = read_file(out, kind, path);
    maskdm_free(path);
    return status;
}

int maskdm_record_compare(const char *folder, const maskdm_options *old, const maskdm_options *now,
                          const char *const *skip)
{
    char *theirs = NULL, *ours = NULL;
    const char *name = NULL;
    int status = maskdm_optionset_difference(old, now, skip, &name, &theirs, &ours);

    if (status == MASKDM_OK && name)
        status = maskdm_fail(MASKDM_EINVAL, "%s was started with %s %s and cannot be resumed with %s", folder,
                             maskdm_optionset_said(now, name), *theirs ? theirs : "none", *ours ? ours : "none");
    maskdm_free(theirs);
    maskdm_free(ours);
    return status;
}

int maskdm_record_write_text(const char *folder, const char *name, struct maskdm_text *text)
{
    char *path = maskdm_path_join(folder, name);
    struct maskdm_writer *w = NULL;
    int status = path ? maskdm_text_ok(text) : MASKDM_ENOMEM;

    if (status == MASKDM_OK)
        status = maskdm_writer_open(&w, path);
    if (status == MASKDM_OK)
        status = maskdm_writer_write(w, text->data, text->length);
    if (status == MASKDM_OK)
        status = maskdm_writer_commit(&w);
    maskdm_writer_abandon(&w);
    maskdm_text_free(text);
    maskdm_free(path);
    return status;
}

int maskdm_record_write(const char *folder, const maskdm_options *options)
{
    struct maskdm_text text = {0};

    maskdm_optionset_write_json(options, &text);
    maskdm_text_add(&text, "\n");
    return maskdm_record_write_text(folder, MASKDM_RECORD_NAME, &text);
}
