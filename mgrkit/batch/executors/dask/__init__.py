"""Items on a cluster of Dask.

here:    client   draws items into chunks, hands them to workers, counts rows
there:   worker   runs chunks, publishes what they make, writes a journal of its own
"""
