/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as what people write for --stages, --config and presets: a document with comments, a run's options and
 * its stages. What is refused changes nothing; what is taken can be had stage by stage and comes back the same by way
 * of its JSON.
 */
#include "fuzz.h"
#include "require.h"
#include "text.h"

#include "base/alloc.h"
#include "base/error.h"
#include "option/option.h"
#include "run/options.h"

#include <string.h>

const char *const mdm_fuzz_words[] = {"\"stages\":[",
                                      "\"stages\"",
                                      "{\"steps\":1}",
                                      "{}",
                                      "[]",
                                      "[{}]",
                                      "\"steps\":",
                                      "\"mask\":\"block\"",
                                      "\"mask\":\"none\"",
                                      "\"mask_ratio\":0.5",
                                      "\"mask_crop_size\":4",
                                      "\"lr\":1e-3",
                                      "\"carry\":\"all\"",
                                      "\"dim\":8",
                                      "\"seed\":1",
                                      "\"data\":\"d\"",
                                      "\"route_ratio\":0.5",
                                      "\"weight\":\"v\"",
                                      "\"betas_file\":\"x\"",
                                      "\"network\":\"dit\"",
                                      "\"format\":1",
                                      "\"about\":\"a\"",
                                      "\"open\":[]",
                                      "// a line\n",
                                      "/* a block */",
                                      "/*",
                                      "*/",
                                      "/",
                                      "//",
                                      "null",
                                      "true",
                                      "1e400",
                                      "-1",
                                      ",",
                                      ":",
                                      "\"",
                                      "\\u0000",
                                      "\xff",
                                      NULL};

static const char *const seeds[] = {
    "{\"data\": \"d\", \"out\": \"o\", \"lr\": 1e-3, // for all\n \"stages\": [{\"mask\": \"block\", \"mask_ratio\": "
    "0.9, "
    "\"steps\": 9},\n /* then */ {\"mask\": \"none\", \"steps\": 3, \"carry\": \"all\"}]}",
    "[{\"steps\": 1}, {\"steps\": 2, \"loss\": \"l1\", \"weight\": \"v\", \"data_fraction\": 0.5}]",
    "{\"about\": \"a\", \"measured\": \"b\", \"open\": \"c\", \"format\": 1, \"network\": \"dit\", \"dim\": 8, "
    "\"stages\": "
    "[{\"route_ratio\": 0.5}]}",
    "{\"out\": \"o\", \"data\": \"d\", \"mask\": \"crop\", \"mask_crop_size\": 4, \"stages\": [{}, {\"mask\": "
    "\"none\"}]}",
    "/* nothing */ {} // more",
    "[{\"steps\": 1}, {\"steps\": 1}, {\"steps\": 1}, {\"dim\": 8}]",
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

/* A stage is options without a list, as good as the whole. */
static void judge_stages(const maskdm_options *o, int good)
{
    for (int i = 0; i < mdm_options_stages(o); i++) {
        maskdm_options *stage;

        require(mdm_options_stage(&stage, o, i) == MASKDM_OK);
        require(mdm_options_stages(stage) == 0);
        require(!good || mdm_options_check(stage) == MASKDM_OK);
        mdm_options_release(&stage);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    maskdm_options *o, *again;
    char *before, *after, *back;
    int status;

    require(mdm_options_create(&o, &mdm_train_kind) == MASKDM_OK);
    require(mdm_options_create(&again, &mdm_train_kind) == MASKDM_OK);
    before = json_of(o);
    status = mdm_options_parse_json(o, (const char *)data, size);
    require(status == MASKDM_OK || status == MASKDM_EINVAL || status == MASKDM_ENOTFOUND ||
            status == MASKDM_EFORMAT || status == MASKDM_EVERSION);
    after = json_of(o);
    if (status == MASKDM_OK) {
        status = mdm_options_check(o);
        require(status == MASKDM_OK || status == MASKDM_EINVAL);
        judge_stages(o, status == MASKDM_OK);
    } else {
        require(!strcmp(before, after));
    }
    if (status == MASKDM_OK) {
        require(mdm_options_parse_json(again, after, strlen(after)) == MASKDM_OK);
        require(mdm_options_stages(again) == mdm_options_stages(o) && mdm_options_check(again) == MASKDM_OK);
        back = json_of(again);
        require(!strcmp(after, back));
        mdm_free(back);
    }
    mdm_free(before);
    mdm_free(after);
    mdm_options_release(&o);
    mdm_options_release(&again);
    require(mdm_alloc_live() == 0);
    return 0;
}
