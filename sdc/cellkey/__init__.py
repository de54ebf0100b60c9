"""The cell key method: noise that belongs to the records counted, looked up in a perturbation table (ptable).

Each record has a record key, a whole number in 0 … M - 1 (`claimants.recordkeys`).
The cell key of a cell is the sum of the keys of its records modulo M
(`sdc.cellkey.keys`), so that the same records have the same noise wherever the
figure stands.  The ptable (`sdc.cellkey.ptable`, made by `sdc.cellkey.design`)
gives the noise for a true count and a cell key; `sdc.cellkey.perturb` adds it.
What is published does not add up; `sdc.attack.noise` says what it gives away.

Sources: B. Fraser & J. Wooton, "A proposed method for confidentialising tabular
output to protect against differencing" (2006); G. Thompson, S. Broadfoot &
D. Elazar, "Methodology for the automatic confidentialisation of statistical
outputs from remote servers at the Australian Bureau of Statistics" (2013);
S. Giessing, "Computational issues in the design of transition probabilities and
disclosure risk estimation for additive noise", PSD 2016, LNCS 9867, 237-251.
"""
