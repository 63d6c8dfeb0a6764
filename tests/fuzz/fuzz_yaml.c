/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a configuration of the authors, in YAML. What is refused changes nothing; what is taken comes back the
 * same by way of its JSON.
 */
#include "fuzz.h"
#include "require.h"
#include "text.h"

#include "base/alloc.h"
#include "option/authors.h"
#include "run/options.h"
#include "text/text.h"

#include <string.h>

const char *const mdm_fuzz_words[] = {
    "define: &a 4\n", "&a ", "*a", "lr: 1.0e-4\n", "clip_grad: null\n", "adam_betas: [0.9, 0.99]\n",
    "MASK_TYPE: block\n",
    "MASK_RATIO: ", "[0.7, 0.7]", "dataset:\n", "network:\n", "name: maskdwt\n", "USE_DWT: true\n", "TASK: cond\n",
    "num_classes: 3\n", "img_size: 64\n", "shift: true\n", "!!str ", "!x", "<<: *a\n", "---\n", "...\n",
    "%YAML 1.1\n",
    "%TAG ! x\n", "? ", "- ", "| \n", ">\n", "\"", "'", "{", "}", "[", "]", ",", ": ", "# ", "\n  ", "\t",
    "\\0", "-1",
    "1e400", "\xef\xbb\xbf", "\xff", NULL};

static const char *const seeds[] = {
    "define: &s 64\nlr: 2.0e-4\nadam_betas: [0.99, 0.99]\nclip_grad: null\nbeta_schedule: \"linear\"\ndataset:\n"
    "  NAME: celeba\n  MASK_RATIO: 0.9\n  MASK_TYPE: \"block\"\n  MASK_BLOCK_SIZE: 4\n  hflip_prob: 0.0\nnetwork:\n"
    "  name : 'maskdm'\n  img_size : *s\n  encoder_embed_dim : 512\n  encoder_depth : 13\n  qkv_bias : False\n",
    "network: {name: maskdwt, img_size: 128, in_chans: 12, data_chans: 3, scale: 1}\n"
    "dataset: {USE_DWT: true, MASK_TYPE: patch, MASK_RATIO: [0.7, 0.7], IMG_SIZE: 256, MEAN: [0.5,0.5,0.5]}\n"
    "shift: true\n",
    "network: {img_size: 8, num_classes: 3, p_uncond: 0.1}\ndataset: {TASK: cond, MASK_TYPE: crop, MASK_RATIO: 0.5,\n"
    "  MASK_CROP_SIZE: 1}\np2_loss_weight_gamma: 0.5\nnum_workers: 2\n",
};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    return seed_text(seeds, sizeof seeds / sizeof *seeds, i, out, capacity);
}

static void hear(void *user, int level, const char *line)
{
    (void)level;
    require(strlen(line) > 0 && !strchr(line, '\n'));
    (*(int *)user)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int heard = 0, status;
    const struct mdm_log log = {hear, &heard};
    maskdm_options *o, *again;
    char *before, *after, *back;

    require(mdm_options_create(&o, &mdm_train_kind) == MASKDM_OK);
    require(mdm_options_create(&again, &mdm_train_kind) == MASKDM_OK);
    before = json_of(o);
    status = mdm_options_parse_authors(o, (const char *)data, size, &log);
    require(status == MASKDM_OK || status == MASKDM_EINVAL || status == MASKDM_ENOTFOUND ||
            status == MASKDM_ENOTSUP || status == MASKDM_EFORMAT);
    require(heard <= MDM_AUTHORS_ENTRIES);
    after = json_of(o);
    if (status == MASKDM_OK) {
        require(mdm_options_parse_json(again, after, strlen(after)) == MASKDM_OK);
        back = json_of(again);
        require(!strcmp(after, back));
        mdm_free(back);
    } else {
        require(!strcmp(before, after));
    }
    mdm_free(before);
    mdm_free(after);
    mdm_options_release(&o);
    mdm_options_release(&again);
    require(mdm_alloc_live() == 0);
    return 0;
}
