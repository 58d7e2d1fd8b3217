"""What ``glasshouse inspect`` can show, one kind or two in each file.

``--json`` prints one object with ``tokens``, ``engine`` and ``origin``, and besides the kinds that
the command line's contract lists::

    rollout   "weights":[[..],..]                          rows = tokens that look
    heads     "heads":[{"layer","head","itself","previous","first","entropy_bits"},..]
    scores    "layer","head","place","scale","cap","query":[..],"keys":[[..],..],"scores":[..],
              "weights":[..]                               --layer --head --place
    lens      "layers":[{"layer","after":[{"id","text","logprob"},..]},..]       with --along
    updates   "place","parts":[{"part","layer","norm","mean","promoted":[{"id","text","rise"},..],
              "suppressed":[..]},..]                       --place --top; rises of the logit
    context   "place","with_start":[..],"any_two":[..]     cosines: start, then after each block
    analogy   "terms":[{"sign","word","ids"},..],"neighbours":[{"id","text","cosine"},..],
              "left_out":[..]                              TEXT is the sum
    map       "projection","words":[{"text","x","y"},..],"explained_variance":[..],
              "neighbours_looked_at","neighbours_kept","kept_by_chance","trustworthiness"
    changed   "shift_bits","before":{"top":[{"id","text","logprob"},..],"entropy_bits","text",
              "tokens":[{"id","text"},..]},"after":{..}    --off --exchange --temperature
    decoding  "seed","length","ways":[{"way","settings","problem","text","reason","tokens":[{"id",
              "text","logprob","rank","entropy_bits","kept","kept_share","drawn","top":[{"id",
              "text","logprob","drawn"},..]},..],"bits_per_token","distinct_1","distinct_2",
              "repeated_3","tree":{"nodes":[{"id","text","parent","logprob","score","state"},..],
              "winner","ends":[{"node","score"},..]}},..]   --seed --length --top

Of a way of decoding, ``settings`` are those that act, by the names of ``run``'s options, and
``problem`` says why this engine lacks the way. ``kept`` counts the tokens that the settings left to
choose from, ``kept_share`` is the model's own chance of them together, ``drawn`` the chance after
all settings, 0 for what was cut; these three are derived from measured scores. What a way does not
have is null: ``drawn`` where nothing is drawn, ``kept`` and ``kept_share`` of beam search, ``tree``
of all others.
"""
