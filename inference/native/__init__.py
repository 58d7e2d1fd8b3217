"""The PyTorch engine: networks to read from top to bottom, and what loads and runs them.

One token's way from its id to the next one, in five files:

1. ``network.py``: ``Network.read`` looks its row up in the embedding and sends it through the
   blocks; ``Block.forward`` adds to it what attention finds and what the MLP makes of it.
2. ``layers.py``: norms, products, and the MLP.
3. ``attention.py``: ``Attention.forward`` makes query, key and value, turns them by their position
   (``rotate``), and mixes the values of all positions so far (``attend``).
4. ``kv_cache.py``: ``KVCache.append`` keeps keys and values for the tokens to come.
5. ``sampling.py``: ``Network.score`` has made a score of every token; ``Sampler.pick`` chooses one.

``rotary.py`` says how fast each pair turns, ``families/`` what tells the networks apart,
``session.py`` and ``answering.py`` go round this loop. The rest are other ways through the same
modules: ``quantize.py`` puts int8 products in their place, ``compiled.py`` compiles a step, with
``layer_cache.py`` and ``gpu_attention.py`` in place of what cannot stand still.
"""
