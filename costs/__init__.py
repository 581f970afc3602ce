"""What a call costs: prices of models and tools, which one holds at a time, and re-pricing what is stored.

`pricing` multiplies, `catalog` knows the public prices, `book` says which price holds, `loading` keeps each
project's book in the process, `repricing` compares stored costs with a book. Those but `loading` are pure.
"""
