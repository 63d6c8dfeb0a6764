/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A folder's options.json; see record.h.
 */
#include "run/record.h"

#include "base/alloc.h"
#include "base/error.h"
#include "os/file.h"
#include "text/json.h"
#include "text/text.h"

enum { RECORD_LIMIT = 1 << 20 }; /* bytes */

static int read_file(maskdm_options **out, const struct mdm_option_kind *kind, const char *path)
{
    struct mdm_json j;
    size_t bytes;
    char *text;
    int status;

    MDM_TRY(mdm_file_read_all(&text, &bytes, path, RECORD_LIMIT));
    status = mdm_options_create(out, kind);
    mdm_json_open(&j, text, bytes);
    if (status == MASKDM_OK)
        status = mdm_options_read_json(*out, &j);
    if (status == MASKDM_OK)
        status = mdm_json_expect(&j, MDM_JSON_END);
    mdm_json_close(&j);
    mdm_free(text);
    if (status < 0) {
        mdm_options_release(out);
        return mdm_fail_prefix(status, "%s", path);
    }
    return MASKDM_OK;
}

int mdm_record_read(maskdm_options **out, const char *folder, const struct mdm_option_kind *kind)
{
    char *path = mdm_path_join(folder, MDM_RECORD_NAME);
    enum mdm_file_kind there;
    int status;

    *out = NULL;
    if (!path)
        return MASKDM_ENOMEM;
    status = mdm_file_kind_of(&there, path);
    if (status == MASKDM_OK && there != MDM_FILE_NONE)
        status = read_file(out, kind, path);
    mdm_free(path);
    return status;
}

int mdm_record_compare(const char *folder, const maskdm_options *old, const maskdm_options *now)
{
    char *theirs = NULL, *ours = NULL;
    const char *name = NULL;
    int status = mdm_options_difference(old, now, &name, &theirs, &ours);

    if (status == MASKDM_OK && name)
        status = mdm_fail(MASKDM_EINVAL, "%s was started with %s %s and cannot be resumed with %s", folder,
                          mdm_options_said(now, name), *theirs ? theirs : "none", *ours ? ours : "none");
    mdm_free(theirs);
    mdm_free(ours);
    return status;
}

int mdm_record_write_text(const char *folder, const char *name, struct mdm_text *text)
{
    char *path = mdm_path_join(folder, name);
    struct mdm_writer *w = NULL;
    int status = path ? mdm_text_ok(text) : MASKDM_ENOMEM;

    if (status == MASKDM_OK)
        status = mdm_writer_open(&w, path);
    if (status == MASKDM_OK)
        status = mdm_writer_write(w, text->data, text->length);
    if (status == MASKDM_OK)
        status = mdm_writer_commit(&w);
    mdm_writer_abandon(&w);
    mdm_text_free(text);
    mdm_free(path);
    return status;
}

int mdm_record_write(const char *folder, const maskdm_options *options)
{
    struct mdm_text text = {0}, members = {0};

    mdm_options_write_json(options, &members);
    mdm_text_addf(&text, "{\"" MDM_OPTIONS_FORMAT_KEY "\": %d, ", MDM_OPTIONS_FORMAT);
    if (mdm_text_ok(&members) < 0 || members.length < 1)
        text.failed = 1;
    else
        mdm_text_add(&text, members.data + 1);
    mdm_text_add(&text, "\n");
    mdm_text_free(&members);
    return mdm_record_write_text(folder, MDM_RECORD_NAME, &text);
}
